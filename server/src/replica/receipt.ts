/**
 * The acknowledgement of a change by all nodes. A change is committed first; then every node of the registry has confirmed it,
 * has left, or is written off, because its process is gone or because it was watched not to renew for a whole lease.
 */

import type { NodeRegistry, NodeRow } from '../ports/change-log.ts';
import type { Clock } from '../ports/clock.ts';

export type ReceiptEntry = { readonly node: string; readonly ms: number };

export type Receipt = {
  /** Number of the change that this acknowledges. */
  readonly sequence: number;
  /** Nodes that have applied the change, and how many ms after its commit that was seen. */
  readonly confirmed: readonly ReceiptEntry[];
  /** Nodes that refuse by themselves: their lease has run out or their process is gone. */
  readonly fenced: readonly ReceiptEntry[];
  /** Nodes that stopped deciding and left. */
  readonly left: readonly ReceiptEntry[];
  /** Nodes still to be heard of; empty in a complete receipt. */
  readonly waiting: readonly string[];
  readonly complete: boolean;
};

/** Clocks of two machines may differ in rate by this much, and a node may be slow to notice. */
const RATE_MARGIN = 0.01;
const MARGIN_MS = 1_000;
const LOOK_INTERVAL_MS = 2;
/** Asking for a lock opens a file: done less often than reading a row. */
const LOCK_LOOK_INTERVAL_MS = 100;

type Sighting = { readonly renewals: number; readonly sinceMs: number };

/**
 * Since when each silent node's renewal counter has stood where it was seen; one entry a node. As no counter ever comes back to
 * where it was, two sightings tell of the time between them. Whoever may ask again after a short wait keeps it, or it would
 * begin to watch anew each time and never write a silent node off.
 */
export type Sightings = Map<string, Sighting>;

export const newSightings = (): Sightings => new Map();

/**
 * Waits until every node has acknowledged change `sequence`, or `waitMs` have passed: then the receipt is incomplete and can be
 * asked for again by its number.
 */
export async function awaitReceipt(
  deps: {
    readonly nodes: NodeRegistry;
    readonly clock: Clock;
    readonly sightings?: Sightings | undefined;
  },
  sequence: number,
  waitMs: number,
): Promise<Receipt> {
  const { nodes, clock, sightings = newSightings() } = deps;
  const startMs = clock.monotonicMs();
  let waiting: Set<string> | undefined;
  const confirmed: ReceiptEntry[] = [];
  const fenced: ReceiptEntry[] = [];
  const left: ReceiptEntry[] = [];
  let lookedAtLocksMs = startMs - LOCK_LOOK_INTERVAL_MS / 2;

  for (;;) {
    const askedMs = clock.monotonicMs();
    const rows = await nodesAfter(sequence, nodes);
    const nowMs = clock.monotonicMs();
    for (const node of sightings.keys()) if (rows?.has(node) === false) sightings.delete(node);
    const mayLookAtLocks = nowMs - lookedAtLocksMs >= LOCK_LOOK_INTERVAL_MS;
    if (mayLookAtLocks) lookedAtLocksMs = nowMs;
    // Listed after the commit: a node that registers later polls after that, so it sees the change.
    waiting ??= rows && new Set(rows.keys());
    for (const node of rows === undefined ? [] : [...(waiting ?? [])]) {
      const row = rows?.get(node);
      const entry = { node, ms: Math.round((nowMs - startMs) * 10) / 10 };
      if (row === undefined) left.push(entry);
      else if (row.appliedSequence >= sequence) confirmed.push(entry);
      else if (await isWrittenOff(deps, row, { sightings, askedMs, nowMs, mayLookAtLocks }))
        fenced.push(entry);
      else continue;
      waiting?.delete(node);
    }
    const complete = waiting?.size === 0;
    if (complete || nowMs - startMs >= waitMs) {
      return { sequence, confirmed, fenced, left, waiting: [...(waiting ?? [])], complete };
    }
    await clock.sleep(LOOK_INTERVAL_MS);
  }
}

/** The nodes by name; undefined when told by a store that has not got the change, and so does not know who decides now. */
async function nodesAfter(
  sequence: number,
  nodes: NodeRegistry,
): Promise<ReadonlyMap<string, NodeRow> | undefined> {
  const { head, rows } = await nodes.listWithHead();
  return head < sequence ? undefined : new Map(rows.map((row) => [row.node, row]));
}

/** Writes a node off if it is dead, or if its renewal counter stood still for its own lease on this clock. */
async function isWrittenOff(
  deps: { readonly nodes: NodeRegistry },
  row: NodeRow,
  look: {
    sightings: Sightings;
    askedMs: number;
    nowMs: number;
    mayLookAtLocks: boolean;
  },
): Promise<boolean> {
  const { sightings, askedMs, nowMs } = look;
  if (look.mayLookAtLocks && (await deps.nodes.isDead(row.node))) {
    return deps.nodes.fence(row.node, row.renewals);
  }
  const seen = sightings.get(row.node);
  if (seen === undefined || seen.renewals !== row.renewals) {
    sightings.set(row.node, { renewals: row.renewals, sinceMs: nowMs });
    return false;
  }
  // From after the first reply to before the last question: the counter stood still for at least that long.
  const silenceMs = askedMs - seen.sinceMs;
  if (silenceMs < row.leaseMs * (1 + RATE_MARGIN) + MARGIN_MS) return false;
  return deps.nodes.fence(row.node, row.renewals);
}
