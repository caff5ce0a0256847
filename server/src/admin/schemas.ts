/** The shapes that several rows of the admin API share. What callers send is strict; what is answered may gain members. */

import type { TObject, TProperties, TSchema } from 'typebox';
import { Type } from './json-schema.ts';
import type { Permission } from './permissions.ts';

/** An object in which nothing stands that is not named: a slip is refused, not overlooked. */
export function strict<Properties extends TProperties>(
  properties: Properties,
): TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false });
}

/** Longest of what may be listed at a time, and what is listed unless it is said. */
const PAGE_ITEMS_MAX = 200;
export const PAGE_ITEMS = 50;
/** Texts longer than any that an operation takes: those say what is too long in their own words. */
const TEXT_LENGTH_MAX = 1_000;

/** Every id is of this form; a secret or a token given by mistake is not, and is not repeated. */
const ID = '^[a-z][0-9A-Za-z_]{0,47}$';

const id = (description: string, example: string) =>
  Type.String({ pattern: ID, description, examples: [example] });

export const programId = id('Id of a program.', 'program_8fYk2LmQ9aXc4TzR');
export const clientId = id('Id of a client.', 'client_test_4Gq8Zk1LwP0xYb3N');
export const secretId = id('Id of a secret.', 'sec_Y2mC7sQ1vB9nKe5D');
export const webhookId = id('Id of a webhook.', 'webhook_4Gq8Zk1LwP0xYb3N');
export const claimId = id('Id of a claim.', 'clm_7Hd0Vq3TzM5kXw9B');
export const environment = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,31}$',
  description: 'Name of an environment.',
  examples: ['sandbox'],
});
export const purpose = Type.Union([Type.Literal('token'), Type.Literal('secret')], {
  description: 'What the key is for: sealing tokens, or hashing client secrets.',
});
export const activity = Type.Union([Type.Literal('active'), Type.Literal('suspended')]);

export function text(description: string, lengthMax = TEXT_LENGTH_MAX) {
  return Type.String({ minLength: 1, maxLength: lengthMax, description });
}

export const name = text('What it is, for people.', 200);
export const reason = text('Why; stands in the audit trail.', 500);
export const nameContains = text('Only those with this in their names, whatever the case.', 200);
export const moment = text(
  'A time with its zone, a date (UTC), or a duration from now: 90d, 24h.',
  64,
);
export const flag = (description: string) => Type.Boolean({ description });

const NEEDS = 'x-permission';

/** Takes a permission of its own, beside that of the row. */
export const breakGlass = Type.Boolean({
  description: 'Wait for no approval; recorded, notified, and needs a reason.',
  [NEEDS]: 'glass:break' satisfies Permission,
});

/** The permissions that members of a body take by themselves; one that is false asks for nothing. */
export function permissionsOf(schema: TObject | undefined, body: unknown): readonly Permission[] {
  const sent = (body ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(schema?.properties ?? {}).flatMap(([name, member]) => {
    const needed = (member as { readonly [NEEDS]?: Permission })[NEEDS];
    const isAsked = sent[name] !== undefined && sent[name] !== false;
    return needed === undefined || !isAsked ? [] : [needed];
  });
}

export function list<Item extends TSchema>(item: Item, description: string, itemsMax = 64) {
  return Type.Array(item, { maxItems: itemsMax, description });
}

/** A time as it is answered. */
export const at = Type.String({ format: 'date-time' });

/** What is answered about a thing: at least this. */
export function record<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties);
}

const receiptProperties = {
  sequence: Type.Integer({ description: 'Number of the change, and of its receipt.' }),
  confirmed: entries('Nodes that apply the change, and after how many ms that was seen.'),
  fenced: entries('Nodes that decide no more without it.'),
  left: entries('Nodes that stopped by themselves.'),
  waiting: Type.Array(Type.String(), { description: 'Nodes still to be heard of.' }),
  complete: Type.Boolean({
    description: 'No node accepts any more what the change killed. False: ask again.',
  }),
};

function entries(description: string) {
  return Type.Array(Type.Object({ node: Type.String(), ms: Type.Number() }), { description });
}

export const receipt = record(receiptProperties);

/** What is answered to a change: what it was about, and who has acknowledged it. */
export function change<Properties extends TProperties>(properties: Properties) {
  return record({
    ...properties,
    changed: Type.Boolean({
      description: 'False: it was so already, and this is the receipt of the earlier change.',
    }),
    ...receiptProperties,
  });
}

/** What hands out a secret; a replay does not. */
export const handedOut = {
  client_secret: Type.Optional(
    Type.String({ description: 'Shown this once, and never to a repeated request.' }),
  ),
  replayed: Type.Optional(
    Type.Boolean({ description: 'It was made by an earlier request with this Idempotency-Key.' }),
  ),
};

export function page<Item extends TSchema>(item: Item) {
  return record({
    items: Type.Array(item),
    next_cursor: Type.Optional(
      Type.String({ description: 'Asks for the next page; absent on the last one.' }),
    ),
  });
}

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_ITEMS_MAX,
      default: PAGE_ITEMS,
      description: 'How many to list at most.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'As `next_cursor` told it.' }),
  ),
};
