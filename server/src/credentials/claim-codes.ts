/**
 * The two halves of a claim: the code in its link, and the passphrase that goes another way. Kept as keyed hashes, under a key of their
 * own; knows no claim beyond its id, and can give neither half back.
 */

import type { Randomness } from '../ports/clock.ts';
import { randomBase62 } from './base62.ts';
import { type HmacKey, hmacSha256 } from './hmac.ts';
import { Secret } from './secret-value.ts';

/** 22 characters of base62 are 131 bits. */
const CODE_LENGTH = 22;
/** Without the letters and digits that are taken for each other when they are read aloud. */
const SPOKEN = 'abcdefghjkmnpqrstuvwxyz23456789';
/** The highest multiple of its length that a byte can hold: what lies above would favour the first characters. */
const UNBIASED_BYTES = 256 - (256 % SPOKEN.length);
/** Three groups of four: 59 bits, which a handful of attempts cannot guess and people can dictate. */
const PASSPHRASE_LENGTH = 12;
const GROUP_LENGTH = 4;
/** The longest text that is hashed whole. */
const PRESENTED_LENGTH_MAX = 128;

const CODE = /^[0-9A-Za-z]{22}$/;

export function newClaimCode(random: Randomness): Secret {
  return new Secret(randomBase62(random, CODE_LENGTH));
}

export function isClaimCode(text: string): boolean {
  return CODE.test(text);
}

/** Such as `k7mw-p3hx-9q4t`. */
export function newPassphrase(random: Randomness): Secret {
  let text = '';
  while (text.length < PASSPHRASE_LENGTH) {
    for (const byte of random.bytes(PASSPHRASE_LENGTH - text.length)) {
      if (byte < UNBIASED_BYTES) text += SPOKEN.charAt(byte % SPOKEN.length);
    }
  }
  const groups = text.match(new RegExp(`.{${GROUP_LENGTH}}`, 'g')) ?? [];
  return new Secret(groups.join('-'));
}

export function macOfClaimCode(key: HmacKey, claimId: string, code: string): Buffer {
  return hmacSha256(key, `code/${claimId}/${bounded(code)}`);
}

/** Case, spaces and hyphens do not count: the phrase may have come by telephone. */
export function macOfPassphrase(key: HmacKey, claimId: string, passphrase: string): Buffer {
  const plain = bounded(passphrase).toLowerCase().replaceAll(/[\s-]/g, '');
  return hmacSha256(key, `passphrase/${claimId}/${plain}`);
}

function bounded(text: string): string {
  return text.slice(0, PRESENTED_LENGTH_MAX);
}
