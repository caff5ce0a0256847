/**
 * What is kept of a client secret: its HMAC under a pepper. Knows no client, and cannot give a
 * secret back.
 */

import { timingSafeEqual } from 'node:crypto';
import type { Pepper } from './derive.ts';
import { hmacSha256 } from './hmac.ts';

/** The longest presented secret that is hashed whole; ours have at most 79 characters. */
export const SECRET_LENGTH_MAX = 128;

/** The 32 bytes to store or to compare. The work is bounded, however long the presented text. */
export function macOfSecret(pepper: Pepper, secret: string): Buffer {
  // One character more than any secret may have: what is too long equals no secret, not even by its
  // beginning.
  return hmacSha256(pepper, secret.slice(0, SECRET_LENGTH_MAX + 1));
}

/** Equality in constant time; false when a stored value is not even of the right length. */
export function sameMac(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.length > 0 && timingSafeEqual(a, b);
}
