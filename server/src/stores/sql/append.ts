/** The end of every change: its audit line, its entry in the change log, and last of all its number. */

import { auditHash } from '../../ports/audit-chain.ts';
import type { Fact } from '../../ports/change-log.ts';
import type { Committed } from '../../ports/store.ts';
import { all, db, first, run, type Steps } from './schema.ts';

export type Effect = {
  /** What the change is about: a public id, never a secret. */
  readonly target: string;
  readonly facts: readonly Fact[];
  readonly detail?: Readonly<Record<string, unknown>>;
};

export type AuditEntry = {
  readonly actor: string;
  readonly atMs: number;
  readonly action: string;
  readonly target: string;
  readonly change?: number;
  readonly detail: Readonly<Record<string, unknown>>;
};

function* head(): Steps<{
  sequence: number;
  audit_sequence: number;
  audit_hash: string;
}> {
  const row = yield* first(
    db.selectFrom('store').select(['sequence', 'audit_sequence', 'audit_hash']).where('id', '=', 1),
  );
  if (row === undefined) throw new Error('the store has no head row: it was never initialised');
  return row;
}

/** Appends one audit line to the chain, in the transaction of what it records. */
export function* appendAudit(entry: AuditEntry): Steps<void> {
  const { audit_sequence, audit_hash } = yield* head();
  const sequence = audit_sequence + 1;
  const line = JSON.stringify(entry);
  const hash = auditHash(audit_hash, sequence, line);
  yield* run(
    db
      .insertInto('audit')
      .values({ sequence, change: entry.change ?? null, action: entry.action, line, hash }),
  );
  yield* run(
    db.updateTable('store').set({ audit_sequence: sequence, audit_hash: hash }).where('id', '=', 1),
  );
}

/** Numbers a change and logs it. Nothing may follow it in its transaction: numbers are in commit order. */
export function* appendChange(
  effect: Effect,
  command: { kind: string; actor: string; atMs: number; changeId: string },
): Steps<Committed> {
  const sequence = (yield* head()).sequence + 1;
  const { kind, actor, atMs, changeId } = command;
  yield* appendAudit({
    actor,
    atMs,
    action: kind,
    target: effect.target,
    change: sequence,
    detail: effect.detail ?? {},
  });
  yield* run(
    db.insertInto('changes').values({
      sequence,
      change_id: changeId,
      kind,
      target: effect.target,
      facts: JSON.stringify(effect.facts),
      at_ms: atMs,
    }),
  );
  yield* run(db.updateTable('store').set({ sequence, change_id: changeId }).where('id', '=', 1));
  return { sequence, changed: true };
}

/** The change that already brought about what is asked for again. */
export function* earlierChange(kind: string, target: string): Steps<Committed> {
  const [row] = yield* all(
    db
      .selectFrom('changes')
      .select('sequence')
      .where('target', '=', target)
      .where('kind', '=', kind)
      .orderBy('sequence', 'desc')
      .limit(1),
  );
  return { sequence: row?.sequence ?? 0, changed: false };
}
