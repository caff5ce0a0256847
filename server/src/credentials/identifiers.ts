/**
 * The grammar of every public name: client ids, secrets, tokens. Tells what text claims to be,
 * never whether it is valid.
 */

import type { Randomness } from '../ports/clock.ts';
import { randomBase62 } from './base62.ts';
import { endsInChecksum, withChecksum } from './crc32.ts';
import { Secret } from './secret-value.ts';

/**
 * The words that identifiers begin with: an institution's own, so that secret scanners can tell
 * whose a leak is.
 */
export type Brand = {
  readonly client: string;
  readonly secret: string;
  readonly token: string;
};

export const defaultBrand: Brand = { client: 'client', secret: 'secret', token: 'token' };

const ID_LENGTH = 16;
/** 43 characters of base62 are 256.03 bits. */
const SECRET_LENGTH = 43;

const WORD = /^[a-z][a-z0-9]{0,15}$/;
const TAG = /^[a-z0-9]{2,12}$/;
const CLIENT_ID = /^([a-z][a-z0-9]{0,15})_([a-z0-9]{2,12})_[0-9A-Za-z]{16}$/;
const SECRET = /^([a-z][a-z0-9]{0,15})_([a-z0-9]{2,12})_[0-9A-Za-z]{49}$/;
const TOKEN = /^([a-z][a-z0-9]{0,15})_([a-z0-9]{2,12})_[0-9A-Za-z_-]{84}[0-9A-Za-z]{6}$/;

export function isEnvironmentTag(text: string): boolean {
  return TAG.test(text);
}

function isBrandWord(text: string): boolean {
  return WORD.test(text);
}

export function newClientId(random: Randomness, tag: string, brand = defaultBrand): string {
  return prefixOf(brand.client, tag) + randomBase62(random, ID_LENGTH);
}

export function newSecret(random: Randomness, tag: string, brand = defaultBrand): Secret {
  const unchecked = prefixOf(brand.secret, tag) + randomBase62(random, SECRET_LENGTH);
  return new Secret(withChecksum(unchecked));
}

export function newProgramId(random: Randomness): string {
  return `program_${randomBase62(random, ID_LENGTH)}`;
}

export function newSecretId(random: Randomness): string {
  return `sec_${randomBase62(random, ID_LENGTH)}`;
}

export function newApprovalId(random: Randomness): string {
  return `approval_${randomBase62(random, ID_LENGTH)}`;
}

export function newClaimId(random: Randomness): string {
  return `clm_${randomBase62(random, ID_LENGTH)}`;
}

/** What stands before the random part: `token_test_`. */
export function prefixOf(word: string, tag: string): string {
  if (!isBrandWord(word)) throw new RangeError(`"${word}" is no brand word (${WORD.source})`);
  if (!isEnvironmentTag(tag))
    throw new RangeError(`"${tag}" is no environment tag (${TAG.source})`);
  return `${word}_${tag}_`;
}

/**
 * The environment tag of text that has the whole shape of a client id; exact in case and length.
 */
export function tagOfClientId(text: string, brand = defaultBrand): string | undefined {
  return tagIn(CLIENT_ID.exec(text), brand.client);
}

/** The environment tag of text that has the shape of a client secret and a right checksum. */
export function tagOfSecret(text: string, brand = defaultBrand): string | undefined {
  const tag = tagIn(SECRET.exec(text), brand.secret);
  return tag !== undefined && endsInChecksum(text) ? tag : undefined;
}

/**
 * The environment tag of text that has the shape of an access token and a right checksum; nothing
 * is opened.
 */
export function tagOfToken(text: string, brand = defaultBrand): string | undefined {
  const tag = tagIn(TOKEN.exec(text), brand.token);
  return tag !== undefined && endsInChecksum(text) ? tag : undefined;
}

function tagIn(match: RegExpExecArray | null, word: string): string | undefined {
  return match !== null && match[1] === word ? match[2] : undefined;
}
