/** The members of JSON bodies: what each must be, said as JSON Schema and checked. A refusal names the member and repeats no value. */

import type { IncomingMessage } from 'node:http';
import { Refused } from './answer.ts';

const BODY_BYTES_MAX = 16_384;
const TEXT_LENGTH_MAX = 200;
/** One billion units of the currency: with it no sum leaves the exact integers. */
const AMOUNT_CENTS_MAX = 100_000_000_000;
/** Control characters and marks that reverse reading order forge lines of statements. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** One member: its schema for readers, and its value, or undefined where it is not what `must` says. */
export type Member<T = string | number> = {
  readonly schema: object;
  readonly must: string;
  readonly read: (value: unknown) => T | undefined;
};
export type Members = Readonly<Record<string, Member>>;
export type ValuesOf<M extends Members> = {
  readonly [Name in keyof M]: M[Name] extends Member<infer T> ? T : never;
};

export const LINE: Member<string> = {
  schema: { type: 'string', minLength: 1, maxLength: TEXT_LENGTH_MAX },
  must: `be a line of text, ${TEXT_LENGTH_MAX} characters at most`,
  read: (value) => {
    const isText = typeof value === 'string' && value.length <= TEXT_LENGTH_MAX;
    return isText && value.trim() !== '' && !UNPRINTABLE.test(value) ? value : undefined;
  },
};

/** An address, roughly: one @, something on both sides. Case does not tell two apart. */
export const EMAIL: Member<string> = {
  schema: { ...LINE.schema, format: 'email' },
  must: 'be an email address',
  read: (value) => {
    const line = LINE.read(value);
    return line !== undefined && /^[^\s@]+@[^\s@]+$/.test(line) ? line.toLowerCase() : undefined;
  },
};

/** Whole cents: a fraction, a text or an amount that is not exact is refused, never rounded. */
export const AMOUNT: Member<number> = {
  schema: {
    type: 'integer',
    minimum: -AMOUNT_CENTS_MAX,
    maximum: AMOUNT_CENTS_MAX,
    not: { const: 0 },
  },
  must: `be a whole number of cents, not zero, between -${AMOUNT_CENTS_MAX} and ${AMOUNT_CENTS_MAX}`,
  read: (value) =>
    Number.isInteger(value) && value !== 0 && Math.abs(Number(value)) <= AMOUNT_CENTS_MAX
      ? Number(value)
      : undefined,
};

/** The values of a JSON body that has exactly these members, in their order. */
export async function readBody(request: IncomingMessage, members: Members) {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    const detail = 'Send the body as JSON, with the header Content-Type: application/json.';
    throw new Refused('not-json', detail);
  }
  const given = parse(await readBytes(request));
  const stray = Object.keys(given).some((name) => !Object.hasOwn(members, name));
  const names = Object.keys(members);
  if (stray) throw invalid(`The body may have these members only: ${names.join(', ')}.`);
  return Object.fromEntries(names.map((name) => [name, memberOf(given, name, members[name])]));
}

function memberOf(given: Readonly<Record<string, unknown>>, name: string, member?: Member) {
  const value = Object.hasOwn(given, name) ? member?.read(given[name]) : undefined;
  if (value !== undefined) return value;
  throw new Refused('invalid-request', `${name} must ${member?.must}.`, {
    at: { pointer: `/${name}` },
  });
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Left early, the request must not be destroyed: with it would go the connection, and the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) {
      throw new Refused('body-too-large', `The body may have ${BODY_BYTES_MAX} bytes at most.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid('The body is not JSON in UTF-8.');
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject) return value as Readonly<Record<string, unknown>>;
  throw invalid('The body must be a JSON object.');
}

function invalid(detail: string): Refused {
  return new Refused('invalid-request', detail);
}
