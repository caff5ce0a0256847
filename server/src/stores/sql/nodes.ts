/** The registry of nodes: a row each, with the lease it was promised and a counter of its renewals. */

import type { ChangeRef, NodeRow, Poll } from '../../ports/change-log.ts';
import type { Randomness } from '../../ports/clock.ts';
import { ChangeRefused } from '../../ports/store.ts';
import { pollChanges } from './change-log.ts';
import { SCHEMA_VERSION } from './migrations/steps.ts';
import { all, db, first, firstLocked, run, type Steps } from './schema.ts';

export type Registration = Pick<NodeRow, 'node' | 'leaseMs' | 'version' | 'listen' | 'process'> & {
  readonly atMs: number;
  readonly step: number;
  /** Fingerprint of the master key that the node has in memory. */
  readonly masterKeyCheck: string;
  /** Rows of this prefix are earlier lives of the same slot, whose lock the caller holds: they are gone. */
  readonly slotPrefix: string;
};

/**
 * How far a renewal moves a row's counter: by chance, some millions, so that a counter that a failover set back comes to no value
 * that somebody has seen before, and is taken for one that stood still. A thousand million renewals fit into a number.
 */
export const renewalStep = (randomness: Randomness): number =>
  1 + randomness.bytes(3).readUIntBE(0, 3);

/** Throws when the store has been put under another master key since the node read its own. */
export function* registerNode(node: Registration): Steps<void> {
  yield* requireMasterKey(node.masterKeyCheck);
  yield* run(db.deleteFrom('nodes').where('node', 'like', `${node.slotPrefix}%`));
  yield* run(
    db.insertInto('nodes').values({
      node: node.node,
      lease_ms: node.leaseMs,
      // Nowhere where a counter of this node's earlier lives has been, so that nobody takes one life for another.
      renewals: node.atMs + node.step,
      applied_sequence: 0,
      started_at_ms: node.atMs,
      renewed_at_ms: node.atMs,
      version: node.version,
      listen: node.listen,
      process: node.process,
      schema: SCHEMA_VERSION,
    }),
  );
}

/**
 * Counts a renewal and polls in the same transaction, so that the lease stands on what this commit has seen. It acknowledges
 * as well: should an acknowledgement have gone astray, no receipt waits longer than for the next renewal.
 */
export function* renewNode(renewal: {
  node: string;
  applied: ChangeRef;
  atMs: number;
  step: number;
}): Steps<Poll | undefined> {
  const { node, applied, atMs, step } = renewal;
  const row = yield* first(
    db
      .updateTable('nodes')
      .set((of) => ({
        renewals: of('renewals', '+', step),
        renewed_at_ms: atMs,
        applied_sequence: of
          .case()
          .when(
            of.and([of('applied_sequence', '<', applied.sequence), of.exists(thatChange(applied))]),
          )
          .then(applied.sequence)
          .else(of.ref('applied_sequence'))
          .end(),
      }))
      .where('node', '=', node)
      .returning('renewals'),
  );
  return row === undefined ? undefined : yield* pollChanges(applied.sequence);
}

/** A number says nothing once a lossy failover has given it to another change: the change's id must fit as well. */
const thatChange = ({ sequence, changeId }: ChangeRef) =>
  db
    .selectFrom('changes')
    .select('sequence')
    .where('sequence', '=', sequence)
    .where('change_id', '=', changeId);

export function* acknowledgeNode(node: string, applied: ChangeRef): Steps<void> {
  yield* run(
    db
      .updateTable('nodes')
      .set({ applied_sequence: applied.sequence })
      .where('node', '=', node)
      .where('applied_sequence', '<', applied.sequence)
      .where((of) => of.exists(thatChange(applied))),
  );
}

/**
 * Whoever puts the store under another master key holds the environments' rows while it looks for nodes: it sees this node's row, or
 * this node waits and then sees the other key.
 */
function* requireMasterKey(check: string): Steps<void> {
  yield* firstLocked(db.selectFrom('environments').select('ordinal').orderBy('ordinal'));
  const row = yield* first(db.selectFrom('store').select('master_key_check').where('id', '=', 1));
  if (row?.master_key_check === check) return;
  throw new ChangeRefused(
    'conflict',
    `the store was put under another master key (check ${row?.master_key_check}, this node has ${check}): start again with that key`,
  );
}

export function* leaveNode(node: string): Steps<void> {
  yield* run(db.deleteFrom('nodes').where('node', '=', node));
}

/** Writes a node off, unless it has renewed since its counter was seen. */
export function* fenceNode(node: string, renewals: number): Steps<boolean> {
  const gone = yield* all(
    db
      .deleteFrom('nodes')
      .where('node', '=', node)
      .where('renewals', '=', renewals)
      .returning('node'),
  );
  return gone.length === 1;
}

export function* listNodes(): Steps<readonly NodeRow[]> {
  const rows = yield* all(db.selectFrom('nodes').selectAll().orderBy('node'));
  return rows.map((row) => ({
    node: row.node,
    leaseMs: row.lease_ms,
    renewals: row.renewals,
    appliedSequence: row.applied_sequence,
    startedAtMs: row.started_at_ms,
    renewedAtMs: row.renewed_at_ms,
    version: row.version,
    listen: row.listen,
    process: row.process,
  }));
}

export type NodesAfter = {
  /** The ids of those changes that this store has, by number. */
  readonly changeIds: ReadonlyMap<number, string>;
  readonly rows: readonly NodeRow[];
};

/** Which of these changes the store has is read first: the rows are then never older than they, in one snapshot or in two. */
export function* listNodesAfter(sequences: readonly number[]): Steps<NodesAfter> {
  const known = yield* all(
    db.selectFrom('changes').select(['sequence', 'change_id']).where('sequence', 'in', sequences),
  );
  const changeIds = new Map(known.map((row) => [row.sequence, row.change_id]));
  return { changeIds, rows: yield* listNodes() };
}

/** The nodes, for somebody who waits for one of those changes; undefined: it is not among them, or another has its number. */
export function nodesAfter(
  { changeIds, rows }: NodesAfter,
  { sequence, changeId }: ChangeRef,
): readonly NodeRow[] | undefined {
  return sequence === 0 || changeIds.get(sequence) === changeId ? rows : undefined;
}
