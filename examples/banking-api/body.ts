/** Reads a JSON body within its bounds and checks its members. Every refusal names the member; none repeats its value. */

import type { IncomingMessage } from 'node:http';
import { failure, invalidRequest, Refused } from './answer.ts';

const BODY_BYTES_MAX = 16_384;
const TEXT_LENGTH_MAX = 200;
/** One billion units of the currency: with it no sum leaves the exact integers. */
const AMOUNT_CENTS_MAX = 100_000_000_000;
/** Control characters and marks that reverse reading order forge lines of statements. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

export type Members = Readonly<Record<string, unknown>>;

/** The members of the JSON object in the body: exactly these names, all of them. */
export async function readMembers(
  request: IncomingMessage,
  names: readonly string[],
): Promise<Members> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    const description = 'Send the body as JSON, with the header Content-Type: application/json.';
    throw new Refused(failure({ status: 415, code: 'invalid_request', description }));
  }
  const members = parse(await readBytes(request));
  for (const name of names) {
    if (!Object.hasOwn(members, name)) throw invalidRequest(`${name} is missing.`);
  }
  if (Object.keys(members).length > names.length) {
    throw invalidRequest(`The body may have these members only: ${names.join(', ')}.`);
  }
  return members;
}

/** A text of one printable line. */
export function textMember(members: Members, name: string): string {
  const value = members[name];
  const fits =
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.length <= TEXT_LENGTH_MAX &&
    !UNPRINTABLE.test(value);
  if (fits) return value;
  throw invalidRequest(`${name} must be a line of text, ${TEXT_LENGTH_MAX} characters at most.`);
}

/** An address, roughly: one @, something on both sides. Case does not tell two apart. */
export function emailMember(members: Members, name: string): string {
  const value = textMember(members, name);
  if (/^[^\s@]+@[^\s@]+$/.test(value)) return value.toLowerCase();
  throw invalidRequest(`${name} must be an email address.`);
}

/** What a caller makes up to tell one payment from the next. */
export function idMember(members: Members, name: string): string {
  const value = members[name];
  if (typeof value === 'string' && /^[\w.:-]{1,64}$/.test(value)) return value;
  throw invalidRequest(`${name} must be 1 to 64 of the characters A-Z a-z 0-9 . _ : -`);
}

/** Whole cents: a fraction, a text or an amount that is not exact is refused, never rounded. */
export function amountMember(members: Members, name: string): number {
  const value = members[name];
  const fits =
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value !== 0 &&
    Math.abs(value) <= AMOUNT_CENTS_MAX;
  if (fits) return value;
  throw invalidRequest(
    `${name} must be a whole number of cents, not zero, between -${AMOUNT_CENTS_MAX} and ${AMOUNT_CENTS_MAX}.`,
  );
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Left early, the request must not be destroyed: with it would go the connection, and the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) {
      const description = `The body may have ${BODY_BYTES_MAX} bytes at most.`;
      throw new Refused(failure({ status: 413, code: 'invalid_request', description }));
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): Members {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalidRequest('The body is not JSON in UTF-8.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw invalidRequest('The body must be a JSON object.');
}
