/** What every change leaves behind: its effect, its audit line, its place in the log. */

import type { Fact } from '../../ports/change-log.ts';
import type { Committed } from '../../ports/store.ts';
import { all, db, type Steps } from './schema.ts';

export type Effect = {
  /** What the change is about: a public id, never a secret. */
  readonly target: string;
  readonly facts: readonly Fact[];
  readonly detail?: Readonly<Record<string, unknown>>;
  /** More audit lines of the same change, after its own: for what each of many has to tell. */
  readonly lines?: readonly Pick<AuditEntry, 'action' | 'target' | 'detail'>[];
  /** Named otherwise than what was asked for: a granted approval is the change that it allows, a claim that was to be used has failed. */
  readonly kind?: string;
  /** Of a change of many: how many it changed. */
  readonly affected?: number;
};

export type AuditEntry = {
  readonly actor: string;
  readonly atMs: number;
  readonly action: string;
  readonly target: string;
  readonly change?: number;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** All that the end of a change needs: each store has its own way to give the number last and commit at once. */
export type Closing = Effect & {
  readonly kind: string;
  readonly actor: string;
  readonly atMs: number;
  /** Fresh randomness. */
  readonly changeId: string;
};

/**
 * The text of an audit line, which its hash covers. The number of the change stands first: where it is given last, it is put in there.
 * The detail stands last, so that the line's own time is the first `"atMs":` in it, where a database mends it (0007-audit.ts).
 */
export function lineOf({ change, actor, atMs, action, target, detail }: AuditEntry): string {
  const rest = { actor, atMs, action, target, detail };
  return JSON.stringify(change === undefined ? rest : { change, ...rest });
}

/** What whoever asked for a change of many is told. */
export const toldOf = ({
  affected,
  kind,
}: Closing): { readonly affected?: number; readonly recordedAs: string } =>
  affected === undefined ? { recordedAs: kind } : { affected, recordedAs: kind };

/** What a restore is about: the whole store. */
export const RESTORE = { kind: 'store.restore', target: 'store' } as const;

/** The newest change of all, for what came about without one of its own: whoever has applied it knows. */
export function* newestChange(): Steps<Committed> {
  const [row] = yield* all(
    db.selectFrom('store').select(['sequence', 'change_id']).where('id', '=', 1),
  );
  return { sequence: row?.sequence ?? 0, changeId: row?.change_id ?? '', changed: false };
}

/** The change that already brought about what is asked for again; a restore may have, as it suspends programs. */
export function* earlierChange(kind: string, target: string): Steps<Committed> {
  const [row] = yield* all(
    db
      .selectFrom('changes')
      .select(['sequence', 'change_id'])
      .where('target', 'in', [target, RESTORE.target])
      .where('kind', 'in', [kind, RESTORE.kind])
      .orderBy('sequence', 'desc')
      .limit(1),
  );
  return { sequence: row?.sequence ?? 0, changeId: row?.change_id ?? '', changed: false };
}
