/** The nodes that decide over tokens: which are alive, and how far each follows the change log. */

import type { NodeRow } from '../ports/change-log.ts';
import type { OperationContext } from './context.ts';

export type ListedNode = {
  readonly node: string;
  /** 'dead': its process is gone; 'silent': it has not renewed for a lease, so it refuses by itself. */
  readonly state: 'alive' | 'silent' | 'dead';
  /** Changes that it has yet to apply. */
  readonly behind: number;
  readonly listen: string;
  readonly version: string;
  readonly process: string;
  readonly leaseMs: number;
  readonly startedAtMs: number;
  readonly renewedAtMs: number;
};

/** Every node of the registry. */
export async function listNodes(
  context: Pick<OperationContext, 'nodes' | 'log' | 'clock'>,
): Promise<readonly ListedNode[]> {
  const rows = await context.nodes.list();
  const { head } = await context.log.poll(Number.MAX_SAFE_INTEGER);
  const nowMs = context.clock.wallMs();
  return await Promise.all(
    rows.map(async (row) => ({
      node: row.node,
      state: (await context.nodes.isDead(row.node)) ? 'dead' : stateOf(row, nowMs),
      behind: Math.max(0, head - row.appliedSequence),
      listen: row.listen,
      version: row.version,
      process: row.process,
      leaseMs: row.leaseMs,
      startedAtMs: row.startedAtMs,
      renewedAtMs: row.renewedAtMs,
    })),
  );
}

function stateOf(row: NodeRow, nowMs: number): 'alive' | 'silent' {
  return nowMs - row.renewedAtMs > row.leaseMs ? 'silent' : 'alive';
}
