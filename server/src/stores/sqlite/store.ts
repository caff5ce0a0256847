/** The store on one machine: a SQLite database in a data directory, one writer thread, one reading connection. */

import { join } from 'node:path';
import {
  type ChangeLog,
  type Fact,
  type NodeRegistry,
  type Snapshot,
  SUBSCRIBERS,
} from '../../ports/change-log.ts';
import type { Clock, Randomness } from '../../ports/clock.ts';
import {
  keyFacts,
  loadClientCredentials,
  pollChanges,
  positionOfStore,
  SNAPSHOT_PARTS,
} from '../sql/change-log.ts';
import { listNodes, listNodesAfter, nodesAfter, renewalStep } from '../sql/nodes.ts';
import { type Call, promised } from '../sql/promised.ts';
import { READS } from '../sql/reads.ts';
import type { Store } from '../store.ts';
import { connectReader } from './connect.ts';
import { type Executor, executorOf } from './executor.ts';
import { isSlotFree, type Slot, takeSlot } from './node-locks.ts';
import { startWriter, type Writer } from './writer.ts';

/** How often an idle process looks whether another one has committed: two microseconds each time. */
const WATCH_INTERVAL_MS = 3;

export type StoreOptions = {
  readonly dataDirectory: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Fingerprint of the master key that this process has. */
  readonly masterKeyCheck: string;
  /** 'OFF' is for the negative control of the durability tests alone. */
  readonly synchronous?: 'FULL' | 'OFF';
};

export const databasePath = (dataDirectory: string): string =>
  join(dataDirectory, 'countersign.db');
export const locksOf = (dataDirectory: string): string => join(dataDirectory, 'nodes');

/** Opens a store that has been initialised (see `open-data-directory.ts`). */
export function openStore(options: StoreOptions): Store {
  const path = databasePath(options.dataDirectory);
  const connection = connectReader(path);
  const reader = executorOf(connection);
  const writer = startWriter({ path, synchronous: options.synchronous ?? 'FULL' });
  const read = async ({ steps }: Call): Promise<unknown> => reader.read(steps);
  const slots: Slot[] = [];
  const changeId = (): string => options.randomness.bytes(9).toString('base64url');
  return {
    commit: (command) => writer.write('commit', { ...command, changeId: changeId() }),
    record: (line) => writer.write('appendAudit', line),
    ...writer.port('changes'),
    directory: {
      ...promised(READS.directory, read),
      wallMs: async () => options.clock.wallMs(),
    },
    audit: promised(READS.audit, read),
    checkpoints: { ...promised(READS.checkpoints, read), ...writer.port('checkpoints') },
    webhooks: { ...promised(READS.webhooks, read), ...writer.port('webhooks') },
    log: changeLogOf(reader),
    rootKeys: async () => reader.read(() => keyFacts()),
    nodes: registryOf(reader, writer, options),
    duties: { ...promised(READS.duties, read), ...writer.port('duties') },
    takeNode: () => {
      const slot = takeSlot(locksOf(options.dataDirectory));
      slots.push(slot);
      return {
        node: `node-${slot.name}-${options.randomness.bytes(3).toString('hex')}`,
        slot: slot.name,
      };
    },
    close: async () => {
      await writer.close();
      connection.close();
      for (const slot of slots) slot.release();
    },
  };
}

function changeLogOf(reader: Executor): ChangeLog {
  return {
    snapshot: async (take) => snapshotOf(reader, take),
    poll: async (after) => reader.read(() => pollChanges(after)),
    loadClient: async (ordinal) => reader.read(() => loadClientCredentials(ordinal)),
    watch: (wake) => {
      let seen = reader.dataVersion();
      const timer = setInterval(() => {
        const version = reader.dataVersion();
        if (version === seen) return;
        seen = version;
        wake();
      }, WATCH_INTERVAL_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

function snapshotOf<T>(reader: Executor, take: (snapshot: Snapshot) => T): T {
  function* facts(): Generator<Fact> {
    for (const part of SNAPSHOT_PARTS) {
      for (const row of reader.stream(part.query)) yield part.factOf(row);
    }
  }
  return reader.snapshot((run) => take({ position: run(positionOfStore()), facts: facts() }));
}

function registryOf(reader: Executor, writer: Writer, options: StoreOptions): NodeRegistry {
  const now = (): number => options.clock.wallMs();
  const step = (): number => renewalStep(options.randomness);
  return {
    register: (node) =>
      writer.write('registerNode', {
        ...node,
        atMs: now(),
        step: step(),
        masterKeyCheck: options.masterKeyCheck,
        slotPrefix: node.node.startsWith(SUBSCRIBERS)
          ? node.node
          : node.node.slice(0, node.node.lastIndexOf('-') + 1),
      }),
    renew: (node, applied) =>
      writer.write('renewNode', { node, applied, atMs: now(), step: step() }),
    acknowledge: (node, applied) => writer.write('acknowledgeNode', node, applied),
    leave: (node) => writer.write('leaveNode', node),
    list: async () => reader.read(() => listNodes()),
    listAfter: async (change) =>
      nodesAfter(
        reader.read(() => listNodesAfter([change.sequence])),
        change,
      ),
    fence: (node, renewals) => writer.write('fenceNode', node, renewals),
    isDead: async (node) => isGone(options.dataDirectory, node),
  };
}

/** A node's name says whose lock it holds: `node-SLOT-…`. */
function isGone(dataDirectory: string, node: string): boolean {
  // The end of a process ends no lease that another process holds.
  if (node.startsWith(SUBSCRIBERS)) return false;
  const slot = node.split('-')[1];
  return slot !== undefined && isSlotFree(locksOf(dataDirectory), slot);
}
