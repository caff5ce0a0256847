/** The suspension of many clients by one change: one number, one fact and one audit line for each. */

import type { Change, Committed } from '../../../ports/store.ts';
import { type Effect, newestChange } from '../append.ts';
import { allLocked, db, run, type Steps } from '../schema.ts';
import { askForEnd } from './approvals.ts';
import type { ClientRow } from './client-row.ts';
import { clientFact } from './clients.ts';
import { programCounts } from './programs.ts';
import {
  closeSuspensions,
  insertSuspensions,
  openSuspensions,
  type SuspensionRow,
  suspensionDetail,
} from './suspensions.ts';

type By = { readonly actor: string; readonly atMs: number };
type Asked = Extract<Change, { kind: 'client.suspend-many' }>;

/** Suspends those of these clients that no open suspension covers as asked; done again, it changes nothing. */
export function* suspendClients(asked: Asked, by: By): Steps<Effect | Committed> {
  // In order, so that of two who suspend many at once none waits for the other while it is waited for.
  const clients = yield* allLocked(
    db
      .selectFrom('clients')
      .selectAll()
      .where('ordinal', 'in', asked.clients)
      .where('state', '!=', 'deleted')
      .orderBy('ordinal'),
  );
  const open = Map.groupBy(
    yield* openSuspensions('client', [0, ...clients.map(({ ordinal }) => ordinal)]),
    ({ client }) => client,
  );
  const isCovered = ({ ordinal, state }: ClientRow): boolean =>
    state === 'suspended' && (open.get(ordinal) ?? []).some((row) => covers(row, asked));
  const suspending = clients.filter((client) => !isCovered(client));
  if (suspending.length === 0) return yield* newestChange();
  const raised = suspending.filter(({ state }) => state === 'active');
  // A version that knew no rows has reactivated these: what it left open is over.
  yield* closeSuspensions(
    raised.flatMap(({ ordinal }) => open.get(ordinal) ?? []),
    by,
  );
  const questions = yield* askForEnd({ target: 'clients', reason: asked.reason }, asked, by);
  const rows = yield* openRows(suspending, asked, by);
  const facts = yield* raise(raised, asked.reason);
  const { where, reason, part, matched } = asked;
  const programs = yield* programCounts(suspending.map(({ program }) => program));
  return {
    target: 'clients',
    facts,
    detail: { where, reason, part, matched, clients: suspending.length, programs },
    lines: [
      ...questions,
      ...suspending.map(({ ordinal, client_id }) => ({
        action: 'client.suspend',
        target: client_id,
        detail: rows.get(ordinal) ?? {},
      })),
    ],
    affected: suspending.length,
  };
}

/** Whether one that is open keeps the client suspended for the same reason and at least as long. */
function covers(row: SuspensionRow, { reason, untilMs }: Asked): boolean {
  if (row.reason !== reason) return false;
  return row.until_ms === null || (untilMs !== undefined && row.until_ms >= untilMs);
}

/** A suspension each; what the audit trail says of it, by client. */
function* openRows(
  clients: readonly ClientRow[],
  { reason, untilMs, approvalId }: Asked,
  by: By,
): Steps<ReadonlyMap<number | null, Effect['detail']>> {
  const ordinals = clients.map(({ ordinal }) => ordinal);
  const opened = { reason, untilMs, approvalId, ...by, bulk: 1 } as const;
  const rows = yield* insertSuspensions('client', ordinals, opened);
  return new Map(rows.map((row) => [row.client, suspensionDetail(row)]));
}

/** Their tokens die with the generation. */
function* raise(clients: readonly ClientRow[], reason: string): Steps<Effect['facts']> {
  if (clients.length === 0) return [];
  const ordinals = clients.map(({ ordinal }) => ordinal);
  const state = 'suspended' as const;
  yield* run(
    db
      .updateTable('clients')
      .set((of) => ({ state, suspended_reason: reason, generation: of('generation', '+', 1) }))
      .where('ordinal', 'in', ordinals),
  );
  return clients.map((row) => clientFact({ ...row, state, generation: row.generation + 1 }));
}
