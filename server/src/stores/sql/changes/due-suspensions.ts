/** The end of suspensions whose time has come: of many in one change, each for itself, and conditional, so that of two nodes one does it. */

import type { Selectable } from 'kysely';
import type { Fact } from '../../../ports/change-log.ts';
import type { Change, Committed } from '../../../ports/store.ts';
import { suspensionId } from '../../../ports/suspensions.ts';
import { type Effect, newestChange } from '../append.ts';
import { all, allLocked, db, run, type Steps, type Tables } from '../schema.ts';
import { approvalsDemanded, grantedOf } from './approvals.ts';
import { clientFact } from './clients.ts';
import { programCounts, programFact } from './programs.ts';
import {
  closeSuspensions,
  isAccountedFor,
  openSuspensions,
  type SuspensionRow,
} from './suspensions.ts';

type By = { readonly actor: string; readonly atMs: number };
type Asked = Extract<Change, { kind: 'suspension.end' }>;

/** Ends those that are due and still open. What has no open suspension left works again, with the generation that it has. */
export function* endDueSuspensions(asked: Asked, by: By): Steps<Effect | Committed> {
  const rows = yield* all(
    db
      .selectFrom('suspensions')
      .select(['program', 'client'])
      .where('ordinal', 'in', asked.suspensions)
      .where('closed_at_ms', 'is', null),
  );
  const ended = [
    ...(yield* endPrograms(ordinalsOf(rows, 'program'), asked, by)),
    ...(yield* endClients(ordinalsOf(rows, 'client'), asked, by)),
  ];
  const [only] = ended;
  if (only === undefined) return yield* newestChange();
  const active = ended.filter(({ fact }) => fact !== undefined);
  return {
    target: ended.length === 1 ? only.target : 'suspensions',
    facts: ended.flatMap(({ fact }) => fact ?? []),
    detail: {
      programs: yield* programCounts(active.map(({ program }) => program)),
      ended: ended.map(({ target, suspensions, fact }) => ({
        target,
        suspensions: suspensions.map(({ ordinal }) => suspensionId(ordinal)),
        active: fact !== undefined,
      })),
    },
  };
}

type Ended = {
  readonly target: string;
  /** Its ordinal, or that of the client's. */
  readonly program: number;
  readonly suspensions: readonly SuspensionRow[];
  /** Of what works again; undefined: another suspension is open. */
  readonly fact: Fact | undefined;
};

function* endPrograms(ordinals: readonly number[], asked: Asked, by: By): Steps<readonly Ended[]> {
  if (ordinals.length === 0) return [];
  const programs = yield* allLocked(
    db.selectFrom('programs').selectAll().where('ordinal', 'in', ordinals).orderBy('ordinal'),
  );
  const { due, stays } = yield* closeDue('program', programs, { ...asked, ...by });
  const active = programs.filter((row) => due.has(row.ordinal) && !stays.has(row.ordinal));
  const free = { suspended: 0, suspended_reason: null, suspended_at_ms: null };
  yield* run(db.updateTable('programs').set(free).where('ordinal', 'in', numbersOf(active)));
  return programs.flatMap((row) => {
    const suspensions = due.get(row.ordinal);
    if (suspensions === undefined) return [];
    const fact = active.includes(row) ? programFact({ ...row, ...free }) : undefined;
    return { target: row.program_id, program: row.ordinal, suspensions, fact };
  });
}

function* endClients(ordinals: readonly number[], asked: Asked, by: By): Steps<readonly Ended[]> {
  if (ordinals.length === 0) return [];
  const clients = yield* allLocked(
    db
      .selectFrom('clients')
      .selectAll()
      .where('ordinal', 'in', ordinals)
      .where('state', '!=', 'deleted')
      .orderBy('ordinal'),
  );
  const { due, stays } = yield* closeDue('client', clients, { ...asked, ...by });
  const active = clients.filter((row) => due.has(row.ordinal) && !stays.has(row.ordinal));
  const free = { state: 'active', suspended_reason: null } as const;
  yield* run(db.updateTable('clients').set(free).where('ordinal', 'in', numbersOf(active)));
  return clients.flatMap((row) => {
    const suspensions = due.get(row.ordinal);
    if (suspensions === undefined) return [];
    const fact = active.includes(row) ? clientFact({ ...row, ...free }) : undefined;
    return { target: row.client_id, program: row.program, suspensions, fact };
  });
}

/** Closes what is due of these owners, whose rows are held; tells what was closed, by owner, and who keeps an open one. */
function* closeDue(
  owner: 'program' | 'client',
  owners: readonly Pick<Selectable<Tables['clients']>, 'ordinal' | 'suspended_reason'>[],
  { suspensions, dueAtMs, ...by }: Asked & By,
): Steps<{ due: ReadonlyMap<number, readonly SuspensionRow[]>; stays: ReadonlySet<number> }> {
  const open = yield* openSuspensions(owner, numbersOf(owners));
  const asked = new Set(suspensions);
  const mayEnd = yield* endsAllowed(open);
  const isDue = ({ ordinal, until_ms, approval_id }: SuspensionRow): boolean =>
    asked.has(ordinal) && until_ms !== null && until_ms <= dueAtMs && mayEnd(approval_id);
  const ending = open.filter(isDue);
  yield* closeSuspensions(ending, by);
  const ownerOf = (row: SuspensionRow): number => row[owner] ?? 0;
  const openOf = (ordinal: number) => open.filter((row) => ownerOf(row) === ordinal);
  const due = Map.groupBy(ending, ownerOf);
  const stays = Map.groupBy(
    open.filter((row) => !isDue(row)),
    ownerOf,
  );
  for (const [ordinal, [next]] of stays) {
    if (next !== undefined && due.has(ordinal)) yield* showReason(owner, ordinal, next.reason);
  }
  const unaccounted = owners.filter(
    (row) => !isAccountedFor(row.suspended_reason, openOf(row.ordinal)),
  );
  return {
    due,
    stays: new Set([...stays.keys(), ...unaccounted.map(({ ordinal }) => ordinal)]),
  };
}

/** Where reactivations need an approval, an end needs one that was given in advance. */
function* endsAllowed(
  rows: readonly SuspensionRow[],
): Steps<(approvalId: string | null) => boolean> {
  if (!(yield* approvalsDemanded())) return () => true;
  const ids = new Set(rows.flatMap(({ approval_id }) => approval_id ?? []));
  const granted = yield* grantedOf([...ids]);
  return (approvalId) => approvalId !== null && granted.has(approvalId);
}

/** What is shown as the reason is that of a suspension which is open. */
function* showReason(owner: 'program' | 'client', ordinal: number, reason: string): Steps<void> {
  const shown = { suspended_reason: reason };
  yield* run(db.updateTable(`${owner}s`).set(shown).where('ordinal', '=', ordinal));
}

function ordinalsOf(
  rows: readonly Pick<SuspensionRow, 'program' | 'client'>[],
  owner: 'program' | 'client',
): readonly number[] {
  return [...new Set(rows.flatMap((row) => row[owner] ?? []))].sort((a, b) => a - b);
}

/** Never empty, as an empty list is no SQL; no row has the number 0. */
const numbersOf = (rows: readonly { readonly ordinal: number }[]): readonly number[] => [
  0,
  ...rows.map(({ ordinal }) => ordinal),
];
