/**
 * The acknowledgement of a change by all nodes. A change is committed first; then every node of the registry has confirmed it,
 * has left, or decides no more without it: its process is gone, or every lease that may miss the change has run out.
 */

import {
  type ChangeRef,
  type NodeRegistry,
  type NodeRow,
  writeOffAfterMs,
} from '../ports/change-log.ts';
import type { Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/store.ts';

export type ReceiptEntry = { readonly node: string; readonly ms: number };

export type Receipt = {
  /** Number of the change that this acknowledges. */
  readonly sequence: number;
  /** Random id of that change: a failover that lost changes gives numbers out again. Absent in receipts of before it was told. */
  readonly changeId?: string;
  /** Nodes that have applied the change, and how many ms after its commit that was seen. */
  readonly confirmed: readonly ReceiptEntry[];
  /** Nodes that confirmed nothing and decide no more without the change: their lease has run out or their process is gone. */
  readonly fenced: readonly ReceiptEntry[];
  /** Nodes that stopped deciding and left. */
  readonly left: readonly ReceiptEntry[];
  /** Nodes still to be heard of; empty in a complete receipt. */
  readonly waiting: readonly string[];
  readonly complete: boolean;
};

const LOOK_INTERVAL_MS = 2;
/** Asking for a lock opens a file: done less often than reading a row. */
const LOCK_LOOK_INTERVAL_MS = 100;
/** Changes whose receipts were asked for lately, some 100 bytes each. Past it the oldest is waited for anew. */
const AWAITED_CHANGES_MAX = 10_000;

type Sighting = { readonly renewals: number; readonly sinceMs: number };

/**
 * What somebody who waits has seen so far. Whoever may ask again after a short wait keeps it, or it would begin to count anew
 * each time and never come to an end.
 */
export type Sightings = {
  /**
   * Since when each silent node's renewal counter has stood where it was seen; one entry a node. As no counter ever comes back to
   * where it was, two sightings tell of the time between them.
   */
  readonly nodes: Map<string, Sighting>;
  /** Since when each change that is waited for is known to be committed, by its id: others may wait for it yet when one is done. */
  readonly changes: Map<string, number>;
};

export const newSightings = (): Sightings => ({ nodes: new Map(), changes: new Map() });

/**
 * Waits until every node has acknowledged the change, or `waitMs` have passed: then the receipt is incomplete and can be asked for
 * again. Throws `StoreUnavailable` when no store that has the change has answered by then.
 */
export async function awaitReceipt(
  deps: {
    readonly nodes: NodeRegistry;
    readonly clock: Clock;
    readonly sightings?: Sightings | undefined;
  },
  { sequence, changeId }: ChangeRef,
  waitMs: number,
): Promise<Receipt> {
  const { nodes, clock, sightings = newSightings() } = deps;
  const startMs = clock.monotonicMs();
  let waiting: Set<string> | undefined;
  let knownMs: number | undefined;
  const confirmed: ReceiptEntry[] = [];
  const fenced: ReceiptEntry[] = [];
  const left: ReceiptEntry[] = [];
  let lookedAtLocksMs = startMs - LOCK_LOOK_INTERVAL_MS / 2;

  for (;;) {
    const askedMs = clock.monotonicMs();
    const rows = await rowsAfter({ sequence, changeId }, nodes);
    const nowMs = clock.monotonicMs();
    if (rows !== undefined) knownMs ??= knownSince(changeId, sightings, nowMs);
    for (const node of sightings.nodes.keys())
      if (rows?.has(node) === false) sightings.nodes.delete(node);
    const mayLookAtLocks = nowMs - lookedAtLocksMs >= LOCK_LOOK_INTERVAL_MS;
    if (mayLookAtLocks) lookedAtLocksMs = nowMs;
    // Listed after the commit: a node that registers later polls after that, so it sees the change.
    waiting ??= rows && new Set(rows.keys());
    for (const node of rows === undefined ? [] : [...(waiting ?? [])]) {
      const row = rows?.get(node);
      const entry = { node, ms: Math.round((nowMs - startMs) * 10) / 10 };
      if (row === undefined) left.push(entry);
      else if (row.appliedSequence >= sequence) confirmed.push(entry);
      else if (
        await isFenced(nodes, row, {
          sightings,
          askedMs,
          nowMs,
          knownMs: knownMs ?? nowMs,
          mayLookAtLocks,
        })
      )
        fenced.push(entry);
      else continue;
      waiting?.delete(node);
    }
    const complete = waiting?.size === 0;
    if (complete || nowMs - startMs >= waitMs) {
      if (waiting === undefined) throw lostSightOf(sequence);
      const acknowledged = { confirmed, fenced, left, waiting: [...waiting] };
      return { sequence, changeId, ...acknowledged, complete };
    }
    await clock.sleep(LOOK_INTERVAL_MS);
  }
}

/** The nodes by name; undefined when told by a store that has not got the change, and so does not know who decides now. */
async function rowsAfter(
  change: ChangeRef,
  nodes: NodeRegistry,
): Promise<ReadonlyMap<string, NodeRow> | undefined> {
  const rows = await nodes.listAfter(change);
  return rows && new Map(rows.map((row) => [row.node, row]));
}

const lostSightOf = (sequence: number): StoreUnavailable =>
  new StoreUnavailable(
    `the store that answers has not got change ${sequence} as it was committed: ` +
      'a failover may have lost it; look whether it stands, and make it again',
  );

/** Since when the change is known to be committed: from the first answer of a store that has it, whoever asked. */
function knownSince(changeId: string, { changes }: Sightings, nowMs: number): number {
  const sinceMs = changes.get(changeId);
  if (sinceMs !== undefined) return sinceMs;
  if (changes.size >= AWAITED_CHANGES_MAX)
    for (const oldest of changes.keys()) {
      changes.delete(oldest);
      break;
    }
  changes.set(changeId, nowMs);
  return nowMs;
}

/**
 * Whether the node decides no more without the change, though it has not confirmed it. What it renewed by before the commit has run
 * out a lease later; what it renewed by since brought it the change, applied before it counted. So time alone is enough, whatever its
 * row does; the conditions stand in decision record 9. The row stays, though, unless the node is gone or silent for as long: one that
 * renews may hold a lease, and every later receipt must know of it.
 */
async function isFenced(
  nodes: NodeRegistry,
  row: NodeRow,
  look: {
    readonly sightings: Sightings;
    readonly askedMs: number;
    readonly nowMs: number;
    readonly knownMs: number;
    readonly mayLookAtLocks: boolean;
  },
): Promise<boolean> {
  const patienceMs = writeOffAfterMs(row.leaseMs);
  const isSilent = silenceMs(row, look) >= patienceMs;
  const isGone = isSilent || (look.mayLookAtLocks && (await nodes.isDead(row.node)));
  // On condition that it has not renewed this very moment.
  if (isGone && (await nodes.fence(row.node, row.renewals))) return true;
  return look.askedMs - look.knownMs >= patienceMs;
}

/** How long the node's renewal counter has stood still at least: from after the first reply to before the last question. */
function silenceMs(
  { node, renewals }: NodeRow,
  look: { readonly sightings: Sightings; readonly askedMs: number; readonly nowMs: number },
): number {
  const seen = look.sightings.nodes.get(node);
  if (seen?.renewals === renewals) return look.askedMs - seen.sinceMs;
  look.sightings.nodes.set(node, { renewals, sinceMs: look.nowMs });
  return 0;
}
