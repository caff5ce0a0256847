/**
 * Base62 text: random characters without bias, and numbers of fixed width. Knows no format that
 * uses it.
 */

import type { Randomness } from '../ports/clock.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = ALPHABET.length;
/**
 * Bytes from here up are thrown away: 256 is no multiple of 62, and folding them would favour the
 * first characters.
 */
const UNBIASED_BYTES = 256 - (256 % BASE);

/** `length` independent characters, each of the 62 equally likely. */
export function randomBase62(random: Randomness, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length - text.length)) {
      if (byte < UNBIASED_BYTES) text += ALPHABET.charAt(byte % BASE);
    }
  }
  return text;
}

/** A non-negative integer as exactly `width` characters, most significant first. */
export function encodeBase62(value: number, width: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < width; i++) {
    text = ALPHABET.charAt(rest % BASE) + text;
    rest = Math.floor(rest / BASE);
  }
  if (rest !== 0) throw new RangeError(`a number does not fit ${width} base62 characters`);
  return text;
}

/** The number that digits write, most significant first; undefined when one of them is none. At most eight digits are exact. */
export function decodeBase62(text: string): number | undefined {
  let value = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit === -1) return undefined;
    value = value * BASE + digit;
  }
  return value;
}
