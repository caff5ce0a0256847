/** Stops many clients: from the receipt on, no node accepts any of their tokens. In parts, so that others need not wait. */

import type { ChangeRef } from '../ports/change-log.ts';
import { ChangeRefused } from '../ports/store.ts';
import { type ClientSelection, readSelection } from './client-selection.ts';
import { type OperationContext, receiptOf } from './context.ts';
import { requireReason } from './input.ts';
import { endOf, type Suspended, suspensionEnd } from './suspension-end.ts';

/** Clients in one change. */
const CLIENTS_PER_CHANGE_MAX = 1_000;
/** Between two changes whoever else has something to write gets a turn: SQLite's lock has no queue. */
const PAUSE_MS = 25;
/** Clients that a dry run names. */
const NAMED_CLIENTS_MAX = 20;

export type BulkInput = {
  readonly where: readonly string[];
  readonly reason: string;
  readonly untilMs?: number | undefined;
};

export type Progress = {
  /** Clients that meet the conditions. */
  readonly matched: number;
  /** Of these, suspended by this run; the others were so already. */
  readonly suspended: number;
};

/**
 * Suspends every client that meets the conditions and is not suspended so already. Cut off half-way, it has suspended some; run again,
 * it suspends the rest. The receipt is that of the last change, and covers the ones before it. Throws `ChangeRefused`.
 */
export async function suspendClients(
  context: OperationContext,
  input: BulkInput,
  tell: (progress: Progress) => void = () => {},
): Promise<Suspended & Progress> {
  const { changes, clock, actor } = context;
  const { where } = input;
  const asked = { reason: requireReason(input.reason), ...suspensionEnd(context, input.untilMs) };
  const selection = await readSelection(context, where);
  // For whoever is told of the first part before the last is done.
  const found = await context.directory.countClients({ ...selection, state: 'present' });
  let part = 1;
  let progress: Progress = { matched: 0, suspended: 0 };
  let last: ChangeRef | undefined;
  for await (const clients of pagesOf(context, selection)) {
    const ordinals = clients.map(({ ordinal }) => ordinal);
    const many = { clients: ordinals, where, matched: found, part, ...asked };
    const { affected = 0, ...committed } = await changes.commit({
      ...{ change: { kind: 'client.suspend-many', ...many }, actor, atMs: clock.wallMs() },
    });
    if (affected > 0) part += 1;
    last = committed.sequence > (last?.sequence ?? -1) ? committed : last;
    progress = {
      matched: progress.matched + clients.length,
      suspended: progress.suspended + affected,
    };
    tell(progress);
    await clock.sleep(PAUSE_MS);
  }
  if (last === undefined) throw new ChangeRefused('not-found', 'no client meets the conditions');
  const done = { ...progress, changed: progress.suspended > 0 };
  return { ...done, ...(await endOf(context, asked)), receipt: await receiptOf(context, last) };
}

/** What it would suspend. Throws `ChangeRefused`. */
export async function previewSuspension(
  context: OperationContext,
  input: Pick<BulkInput, 'where'>,
): Promise<{
  readonly matched: number;
  readonly active: number;
  /** The first few. */
  readonly clients: readonly { readonly clientId: string; readonly name: string }[];
}> {
  const selection = await readSelection(context, input.where);
  const clients: { clientId: string; name: string }[] = [];
  let matched = 0;
  let active = 0;
  for await (const page of pagesOf(context, selection)) {
    matched += page.length;
    active += page.filter(({ state }) => state === 'active').length;
    const some = page.slice(0, NAMED_CLIENTS_MAX - clients.length);
    clients.push(...some.map(({ clientId, name }) => ({ clientId, name })));
  }
  return { matched, active, clients };
}

async function* pagesOf({ directory }: OperationContext, selection: ClientSelection) {
  for (let after = 0; ; ) {
    const page = await directory.clients({
      ...{ ...selection, state: 'present', after, limit: CLIENTS_PER_CHANGE_MAX },
    });
    const end = page.at(-1);
    if (end === undefined) return;
    yield page;
    after = end.ordinal;
  }
}
