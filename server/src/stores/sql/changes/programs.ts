/** Changes of programs: creation, suspension, reactivation. Suspending raises the generation; reactivating does not. */

import type { Selectable } from 'kysely';
import type { Fact } from '../../../ports/change-log.ts';
import { type Change, ChangeRefused, type Committed } from '../../../ports/store.ts';
import type { Effect } from '../append.ts';
import { all, db, first, firstLocked, run, type Steps, type Tables } from '../schema.ts';
import {
  earlierReactivation,
  endSuspensions,
  openSuspension,
  type Suspendable,
} from './suspensions.ts';

type ProgramRow = Selectable<Tables['programs']>;
type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;
type By = { readonly actor: string; readonly atMs: number };

export function programFact(
  row: Pick<ProgramRow, 'ordinal' | 'program_id' | 'generation' | 'suspended'>,
): Fact {
  return {
    is: 'program',
    ordinal: row.ordinal,
    programId: row.program_id,
    generation: row.generation,
    suspended: row.suspended === 1,
  };
}

export function* programRow(programId: string): Steps<ProgramRow> {
  return found(programId, yield* first(programsBy(programId)));
}

/** The row, kept from other writers: of two who suspend at once, the second sees that it is done. */
function* lockedProgram(programId: string): Steps<ProgramRow> {
  return found(programId, yield* firstLocked(programsBy(programId)));
}

const programsBy = (programId: string) =>
  db.selectFrom('programs').selectAll().where('program_id', '=', programId);

function found(programId: string, row: ProgramRow | undefined): ProgramRow {
  if (row === undefined) {
    throw new ChangeRefused(
      'not-found',
      `there is no program ${programId}; 'countersign program list' shows the ones there are`,
    );
  }
  return row;
}

export function* createProgram(change: Of<'program.create'>, atMs: number): Steps<Effect> {
  const row = yield* first(
    db
      .insertInto('programs')
      .values({
        program_id: change.programId,
        name: change.name,
        generation: 0,
        suspended: 0,
        created_at_ms: atMs,
      } as never)
      .returningAll(),
  );
  return {
    target: change.programId,
    facts: [programFact(row as ProgramRow)],
    detail: { name: change.name },
  };
}

/** Stops a program at once: every token of its clients dies with the old generation. */
export function* suspendProgram(change: Of<'program.suspend'>, by: By): Steps<Effect | Committed> {
  const program = yield* lockedProgram(change.programId);
  const opened = yield* openSuspension(suspendable(program), change, by);
  if ('changed' in opened) return opened;
  const effect = { target: change.programId, ...opened };
  // Its tokens are dead already: one suspension more raises nothing.
  if (program.suspended === 1) return { ...effect, facts: [] };
  const suspended = { ...program, suspended: 1, generation: program.generation + 1 };
  yield* run(
    db
      .updateTable('programs')
      .set({
        suspended: 1,
        generation: suspended.generation,
        suspended_reason: change.reason,
        suspended_at_ms: by.atMs,
      })
      .where('ordinal', '=', program.ordinal),
  );
  return { ...effect, facts: [programFact(suspended)] };
}

/** Lets a program work again once none of its suspensions is open, with the generation that it has. */
export function* reactivateProgram(
  change: Of<'program.reactivate'>,
  by: By,
): Steps<Effect | Committed> {
  const program = yield* lockedProgram(change.programId);
  if (program.suspended === 0) return yield* earlierReactivation(change.kind, change.programId);
  const { remains, detail } = yield* endSuspensions(suspendable(program), change, by);
  const after =
    remains === undefined
      ? { suspended: 0, suspended_reason: null, suspended_at_ms: null }
      : { suspended_reason: remains };
  yield* run(db.updateTable('programs').set(after).where('ordinal', '=', program.ordinal));
  return { target: change.programId, facts: [programFact({ ...program, ...after })], detail };
}

/** How often each program stands in a list: what the audit trail says of a change of many. */
export function* programCounts(
  ordinals: readonly number[],
): Steps<readonly { readonly program: string; readonly count: number }[]> {
  if (ordinals.length === 0) return [];
  const counts = new Map<number, number>();
  for (const ordinal of ordinals) counts.set(ordinal, (counts.get(ordinal) ?? 0) + 1);
  const rows = yield* all(
    db
      .selectFrom('programs')
      .select(['ordinal', 'program_id'])
      .where('ordinal', 'in', [...counts.keys()])
      .orderBy('ordinal'),
  );
  return rows.map(({ ordinal, program_id }) => ({
    program: program_id,
    count: counts.get(ordinal) ?? 0,
  }));
}

const suspendable = (row: ProgramRow): Suspendable => ({
  owner: 'program',
  ordinal: row.ordinal,
  target: row.program_id,
  isSuspended: row.suspended === 1,
  shownReason: row.suspended_reason,
});
