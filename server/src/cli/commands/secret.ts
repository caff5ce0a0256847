/** The commands of client secrets. */

import { type CreatedClaim, claimRotation, claimSecret } from '../../operations/create-claim.ts';
import { createSecret } from '../../operations/create-secret.ts';
import { expireSecret } from '../../operations/expire-secret.ts';
import { listSecrets } from '../../operations/read-directory.ts';
import { revokeSecret } from '../../operations/revoke-secret.ts';
import { rotateSecret } from '../../operations/rotate-secret.ts';
import { isStillUsed, secretState } from '../../operations/secret-state.ts';
import { parseDuration, parseTime } from '../../operations/time-input.ts';
import { type Command, type Output, type StoreCall, UsageError } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput, claimOutput, secretOutput } from '../outputs.ts';
import { timeText } from '../text.ts';
import { CLAIM_OPTIONS, claimOf } from './claim-options.ts';
import { secretTable } from './client-table.ts';

const CLIENT_ID = { name: 'CLIENT_ID', doc: 'Id of the client: client_test_… or client_live_…' };
const SECRET_ID = { name: 'SECRET_ID', doc: 'Id of the secret: sec_…' };
const NAME = { name: 'name', value: 'NAME', doc: 'What it is for people: where it is used.' };
const EXPIRES = {
  name: 'expires',
  value: 'TIME',
  doc: 'When the new secret ends: a time, a date or 90d, 24h (default never).',
};

function expiresOf({ context, args }: StoreCall): number | undefined {
  const text = args.option('expires');
  return text === undefined ? undefined : parseTime('--expires', text, context.clock.wallMs());
}

function secretInput(call: StoreCall) {
  return {
    clientId: call.args.positional('CLIENT_ID'),
    name: call.args.option('name'),
    expiresAtMs: expiresOf(call),
  };
}

function claimed(made: CreatedClaim, input: ReturnType<typeof secretInput>): Output {
  const { clientId } = made;
  const { name, expiresAtMs } = input;
  return claimOutput(made, {
    members: { clientId, name, expiresAtMs },
    words: 'Claim created: the secret is made when its owner opens the link.',
    entries: [
      ['client_id', clientId],
      ['secret expires', timeText(expiresAtMs)],
    ],
  });
}

async function create(call: StoreCall): Promise<Output> {
  const input = secretInput(call);
  const claim = claimOf(call, ['secret', 'create']);
  if (claim !== undefined) {
    return claimed(await claimSecret(call.context, { ...input, claim }), input);
  }
  const made = await createSecret(call.context, input);
  const { clientId, secretId, name, expiresAtMs } = made;
  return secretOutput(made, {
    members: { clientId, secretId, name, expiresAtMs },
    words: 'Created.',
    entries: [
      ['client_id', clientId],
      ['secret_id', secretId],
      ['expires', timeText(expiresAtMs)],
    ],
  });
}

async function rotate(call: StoreCall): Promise<Output> {
  const overlap = call.args.option('overlap');
  const input = {
    ...secretInput(call),
    overlapMs: overlap === undefined ? undefined : parseDuration('--overlap', overlap),
  };
  const claim = claimOf(call, ['secret', 'rotate']);
  if (claim !== undefined) {
    return claimed(await claimRotation(call.context, { ...input, claim }), input);
  }
  const made = await rotateSecret(call.context, input);
  const { clientId, secretId, name, expiresAtMs, othersExpireAtMs } = made;
  return secretOutput(made, {
    members: { clientId, secretId, name, expiresAtMs, othersExpireAtMs },
    words: 'Rotated.',
    entries: [
      ['client_id', clientId],
      ['secret_id', secretId],
      ['expires', timeText(expiresAtMs)],
      ['earlier secrets end', timeText(othersExpireAtMs)],
    ],
  });
}

async function listAll({ context, args }: StoreCall): Promise<Output> {
  const secrets = await listSecrets(context, { clientId: args.positional('CLIENT_ID') });
  const nowMs = context.clock.wallMs();
  return {
    document: secrets.map((secret) => ({
      ...(documentOf(secret) as object),
      state: secretState(secret, nowMs),
      ...(isStillUsed(secret, secrets, nowMs) ? { still_used: true } : {}),
    })),
    text: secretTable(secrets, nowMs),
  };
}

async function expire({ context, args }: StoreCall): Promise<Output> {
  const secretId = args.positional('SECRET_ID');
  const at = args.option('at');
  if ((at === undefined) !== args.flag('never')) {
    throw new UsageError('give one of --at TIME and --never', ['secret', 'expire']);
  }
  const expiresAtMs = at === undefined ? undefined : parseTime('--at', at, context.clock.wallMs());
  const done = await expireSecret(context, { secretId, expiresAtMs });
  const end = timeText(expiresAtMs);
  return changeOutput(done, {
    members: { secretId, expiresAtMs },
    words: end === undefined ? 'It does not end by itself any more.' : `It ends at ${end}.`,
    already: 'It ends then already.',
  });
}

async function revoke({ context, args }: StoreCall): Promise<Output> {
  const secretId = args.positional('SECRET_ID');
  const killTokens = args.flag('kill-tokens');
  const done = await revokeSecret(context, { secretId, killTokens });
  return changeOutput(done, {
    members: { secretId, killTokens },
    words: killTokens
      ? 'Revoked: it gets no token any more, and every token that it got is dead.'
      : 'Revoked: it gets no token any more; the tokens that it got live on until they expire.',
    already: 'Was revoked already; this is the receipt of that.',
  });
}

export const SECRET_COMMANDS: readonly Command[] = [
  {
    path: ['secret', 'create'],
    summary: 'Add a secret to a client; two may be live at once.',
    positionals: [CLIENT_ID],
    options: [NAME, EXPIRES, ...CLAIM_OPTIONS],
    examples: [
      'countersign secret create client_test_4Gq8Zk1LwP0xYb3N --name "blue hosts" --expires 90d',
      'countersign secret create client_test_4Gq8Zk1LwP0xYb3N --claim',
    ],
    changes: true,
    run: create,
  },
  {
    path: ['secret', 'list'],
    summary: 'List the secrets of a client, by id and last characters, with their latest use.',
    about:
      'The latest use is written down about once a minute. A secret that has a successor and is still used is named below the list.',
    positionals: [CLIENT_ID],
    examples: ['countersign secret list client_test_4Gq8Zk1LwP0xYb3N'],
    run: listAll,
  },
  {
    path: ['secret', 'rotate'],
    summary: 'Replace the secrets of a client, with an overlap.',
    positionals: [CLIENT_ID],
    options: [
      {
        name: 'overlap',
        value: 'DURATION',
        doc: 'How long the earlier ones stay good: 24h, 30m, 0s (default 24h).',
      },
      NAME,
      EXPIRES,
      ...CLAIM_OPTIONS,
    ],
    examples: ['countersign secret rotate client_test_4Gq8Zk1LwP0xYb3N --overlap 2h'],
    changes: true,
    run: rotate,
  },
  {
    path: ['secret', 'expire'],
    summary: 'Move the end of a secret: extend an overlap, cut it short or cancel it.',
    about: 'A secret that has ended stays so. To end one at once, revoke it.',
    positionals: [SECRET_ID],
    options: [
      { name: 'at', value: 'TIME', doc: 'When it ends: a time, a date or 90d, 24h.' },
      { name: 'never', doc: 'It does not end by itself.' },
    ],
    examples: [
      'countersign secret expire sec_Y2mC7sQ1vB9nKe5D --at 48h',
      'countersign secret expire sec_Y2mC7sQ1vB9nKe5D --never',
    ],
    changes: true,
    run: expire,
  },
  {
    path: ['secret', 'revoke'],
    summary: 'End a secret at once.',
    positionals: [SECRET_ID],
    options: [{ name: 'kill-tokens', doc: 'Kill the tokens that it got as well.' }],
    examples: ['countersign secret revoke sec_Y2mC7sQ1vB9nKe5D --kill-tokens'],
    changes: true,
    run: revoke,
  },
];
