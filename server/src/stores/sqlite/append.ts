/** The end of every change on SQLite: its audit line, its entry in the change log, and last of all its number. */

import { auditHash } from '../../ports/audit-chain.ts';
import type { Command, Committed } from '../../ports/store.ts';
import { type AuditEntry, type Closing, lineOf, toldOf } from '../sql/append.ts';
import { effectOf } from '../sql/commit.ts';
import { type InitialStore, initialise as initialSteps } from '../sql/initialise.ts';
import { db, first, run, type Steps } from '../sql/schema.ts';

/** A few texts of statements, whatever the number of lines. */
const ROWS_PER_STATEMENT = 100;

/** The whole transaction of one command; `changeId` is fresh randomness. */
export function* commit(command: Command & { changeId: string }): Steps<Committed> {
  const effect = yield* effectOf(command);
  if ('changed' in effect) return effect;
  return yield* appendChange({ ...effect, ...command, kind: effect.kind ?? command.change.kind });
}

/** Writes a new store unless there is one already: of two processes that try at once, one does. */
export function* initialise(initial: InitialStore): Steps<void> {
  const closing = yield* initialSteps(initial);
  if (closing !== undefined) yield* appendChange(closing);
}

function* head(): Steps<{
  sequence: number;
  audit_sequence: number;
  audit_hash: string;
  audit_at_ms: number;
}> {
  const row = yield* first(
    db
      .selectFrom('store')
      .select(['sequence', 'audit_sequence', 'audit_hash', 'audit_at_ms'])
      .where('id', '=', 1),
  );
  if (row === undefined) throw new Error('the store has no head row: it was never initialised');
  return row;
}

/** Appends one audit line to the chain, in the transaction of what it records. */
export function* appendAudit(entry: AuditEntry): Steps<void> {
  yield* appendLines([entry]);
}

/** Appends lines to the chain; the head is read and written once. No line's time is before that of the line before it. */
function* appendLines(entries: readonly AuditEntry[]): Steps<void> {
  const { audit_sequence, audit_hash, audit_at_ms } = yield* head();
  let last = { sequence: audit_sequence, hash: audit_hash, atMs: audit_at_ms };
  const rows = entries.map((entry) => {
    const atMs = Math.max(entry.atMs, last.atMs);
    const sequence = last.sequence + 1;
    const line = lineOf({ ...entry, atMs });
    const hash = auditHash(last.hash, sequence, line);
    last = { sequence, hash, atMs };
    return { sequence, change: entry.change ?? null, action: entry.action, line, hash };
  });
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    yield* run(db.insertInto('audit').values(rows.slice(from, from + ROWS_PER_STATEMENT)));
  }
  yield* run(
    db
      .updateTable('store')
      .set({ audit_sequence: last.sequence, audit_hash: last.hash, audit_at_ms: last.atMs })
      .where('id', '=', 1),
  );
}

/** Numbers a change and logs it. Nothing may follow it in its transaction: numbers are in commit order. */
export function* appendChange(closing: Closing): Steps<Committed> {
  const sequence = (yield* head()).sequence + 1;
  const { kind, target, actor, atMs, changeId, facts, detail = {}, lines = [] } = closing;
  const all = [{ action: kind, target, detail }, ...lines];
  yield* appendLines(all.map((line) => ({ actor, atMs, change: sequence, ...line })));
  yield* run(
    db.insertInto('changes').values({
      sequence,
      change_id: changeId,
      kind,
      target,
      facts: JSON.stringify(facts),
      at_ms: atMs,
    }),
  );
  yield* run(db.updateTable('store').set({ sequence, change_id: changeId }).where('id', '=', 1));
  return { sequence, changeId, changed: true, ...toldOf(closing) };
}
