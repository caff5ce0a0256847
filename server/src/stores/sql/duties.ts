/** The roster of recurring work as rows: claimed, held on to, ended. Knows no duty. */

import type { DutyClaim, DutyEnd, DutyRow } from '../../ports/duties.ts';
import { all, db, first, run, type Steps } from './schema.ts';

export function* claimDuty(claim: DutyClaim): Steps<{ failures: number } | undefined> {
  const { duty, node, everyMs, atMs, holdMs } = claim;
  const held = {
    every_ms: everyMs,
    holder: node,
    started_at_ms: atMs,
    free_at_ms: atMs + holdMs,
  };
  const claimed = yield* first(
    db
      .updateTable('duties')
      .set(held)
      .where('duty', '=', duty)
      .where((of) =>
        of.or([
          of('free_at_ms', '<=', atMs),
          // Written by a clock that was far ahead: it must not stop the duty until that time has come.
          of('free_at_ms', '>', atMs + Math.max(everyMs, holdMs) + AHEAD_MS_MAX),
        ]),
      )
      .returning('failures'),
  );
  if (claimed !== undefined) return claimed;
  return yield* first(
    db
      .insertInto('duties')
      .values({ duty, ...held, ended_at_ms: null, failures: 0, problem: null })
      .onConflict((conflict) => conflict.column('duty').doNothing())
      .returning('failures'),
  );
}

/** The longest back-off after failures, with some room. */
const AHEAD_MS_MAX = 15 * 60 * 1000;

export function* extendDuty(held: Omit<DutyClaim, 'everyMs'>): Steps<boolean> {
  const { duty, node, atMs, holdMs } = held;
  const extended = yield* all(
    db
      .updateTable('duties')
      .set({ free_at_ms: atMs + holdMs })
      .where('duty', '=', duty)
      .where('holder', '=', node)
      .returning('duty'),
  );
  return extended.length === 1;
}

export function* endDuty({ duty, node, atMs, freeAtMs, outcome }: DutyEnd): Steps<void> {
  const ended = db
    .updateTable('duties')
    .set({ free_at_ms: freeAtMs })
    .where('duty', '=', duty)
    .where('holder', '=', node);
  if (outcome === 'cut-off') return yield* run(ended);
  if (outcome === 'done') {
    return yield* run(ended.set({ ended_at_ms: atMs, failures: 0, problem: null }));
  }
  yield* run(ended.set((of) => ({ failures: of('failures', '+', 1), problem: outcome.problem })));
}

export function* listDuties(): Steps<readonly DutyRow[]> {
  const rows = yield* all(db.selectFrom('duties').selectAll().orderBy('duty'));
  return rows.map((row) => ({
    duty: row.duty,
    everyMs: row.every_ms,
    holder: row.holder,
    startedAtMs: row.started_at_ms,
    ...(row.ended_at_ms === null ? {} : { endedAtMs: row.ended_at_ms }),
    failures: row.failures,
    ...(row.problem === null ? {} : { problem: row.problem }),
  }));
}
