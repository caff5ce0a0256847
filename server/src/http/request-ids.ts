/** Names for requests: a prefix that nobody can guess, then a count. What a caller calls its request is not asked. */

import type { Randomness } from '../ports/clock.ts';

/** 48 bits: two processes, or two starts of one, do not meet. */
const PREFIX_BYTES = 6;

/** Makes the function that names this process's requests. */
export function makeRequestIds(randomness: Randomness): () => string {
  const prefix = `${randomness.bytes(PREFIX_BYTES).toString('hex')}-`;
  let count = 0;
  return () => prefix + (count++).toString(36);
}
