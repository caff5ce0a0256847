/** Rows that are kept for a time only: each table with what is past it. None of them decides anything any more. */

import { expiredRevocations } from './changes/tokens.ts';
import { endedClaims } from './claims.ts';
import { expiredKeys } from './once.ts';
import { pruneRefusals } from './refusals.ts';
import { run, type Steps } from './schema.ts';

/** Takes out what was past its time at `atMs`. */
export function* prune(atMs: number): Steps<void> {
  yield* run(expiredRevocations(atMs));
  yield* run(expiredKeys(atMs));
  yield* pruneRefusals(atMs);
  yield* run(endedClaims(atMs));
}
