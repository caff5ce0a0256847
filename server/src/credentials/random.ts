/**
 * The operating system's randomness, drawn in bulk: one byte string is handed out once and then
 * wiped.
 */

import { randomBytes, randomFillSync } from 'node:crypto';
import type { Randomness } from '../ports/clock.ts';

/** One system call for some 340 nonces. */
const POOL_BYTES = 4096;

/** Secure randomness from a pre-filled pool of this thread's own. */
export function systemRandomness(): Randomness {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return {
    bytes(length) {
      // A NaN would stop the pool from ever moving on.
      if (!Number.isSafeInteger(length) || length < 0) throw new RangeError('no such length');
      if (length > POOL_BYTES) return randomBytes(length);
      if (used + length > POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      const taken = Buffer.from(pool.subarray(used, used + length));
      pool.fill(0, used, used + length);
      used += length;
      return taken;
    },
  };
}
