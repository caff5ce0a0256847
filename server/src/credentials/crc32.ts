/**
 * The checksum that ends secrets and tokens, so that anybody can tell garbage without a key. It
 * proves nothing.
 */

import { crc32 } from 'node:zlib';
import { encodeBase62 } from './base62.ts';

/** 62^6 is the first power of 62 above 2^32. */
export const CHECKSUM_LENGTH = 6;

/** Six base62 characters: the CRC-32 (IEEE 802.3, as in zip and PNG) of `text`. */
export function checksumOf(text: string): string {
  return encodeBase62(crc32(text), CHECKSUM_LENGTH);
}

export function withChecksum(text: string): string {
  return text + checksumOf(text);
}

/** Whether the last six characters are the checksum of all the characters before them. */
export function endsInChecksum(text: string): boolean {
  return text.slice(-CHECKSUM_LENGTH) === checksumOf(text.slice(0, -CHECKSUM_LENGTH));
}
