/** The store on one machine: a SQLite database in a data directory, one writer thread, one reading connection. */

import { join } from 'node:path';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { ChangeLog, Fact, NodeRegistry, Snapshot } from '../../ports/change-log.ts';
import type { Checkpoints } from '../../ports/checkpoints.ts';
import type { Clock, Randomness } from '../../ports/clock.ts';
import type { DutyRoster } from '../../ports/duties.ts';
import type { Directory } from '../../ports/store.ts';
import type { Webhooks } from '../../ports/webhooks.ts';
import {
  keyFacts,
  loadClientCredentials,
  pollChanges,
  positionOfStore,
  SNAPSHOT_PARTS,
} from '../sql/change-log.ts';
import { checkpoints, latestCheckpoint, signingKeys } from '../sql/checkpoints.ts';
import { claimHashes, claims } from '../sql/claims.ts';
import * as directory from '../sql/directory.ts';
import { dormantClients } from '../sql/dormancy.ts';
import { listDuties } from '../sql/duties.ts';
import { secretsByMac } from '../sql/found-secrets.ts';
import { keys } from '../sql/keys.ts';
import { listNodes, listNodesAfter, nodesAfter, renewalStep } from '../sql/nodes.ts';
import { refusalCounts } from '../sql/refusals.ts';
import { approvals, dueSuspensions, suspensions } from '../sql/suspensions.ts';
import { lastChange } from '../sql/unchanged.ts';
import { webhooks } from '../sql/webhooks.ts';
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
  const slots: Slot[] = [];
  const changeId = (): string => options.randomness.bytes(9).toString('base64url');
  return {
    commit: (command) => writer.write('commit', { ...command, changeId: changeId() }),
    record: (line) => writer.write('appendAudit', line),
    moveSecret: (move) => writer.write('moveSecret', move),
    shareQuota: (share) => writer.write('shareQuota', share),
    prune: (atMs) => writer.write('prune', atMs),
    noteRefusals: (counts) => writer.write('noteRefusals', counts),
    noteUses: (uses) => writer.write('noteUses', uses),
    directory: directoryOf(reader, options),
    audit: auditOf(reader),
    checkpoints: checkpointsOf(reader, writer),
    webhooks: webhooksOf(reader, writer),
    log: changeLogOf(reader),
    rootKeys: async () => reader.read(() => keyFacts()),
    nodes: registryOf(reader, writer, options),
    duties: rosterOf(reader, writer),
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

function directoryOf(reader: Executor, { clock }: StoreOptions): Directory {
  return {
    environments: async () => reader.read(() => directory.environments()),
    programs: async (filter) => reader.read(() => directory.programs(filter)),
    clients: async (filter) => reader.read(() => directory.clients(filter)),
    countClients: async (filter) => reader.read(() => directory.countClients(filter)),
    secrets: async (filter) => reader.read(() => directory.secrets(filter)),
    dormantClients: async (page) => reader.read(() => dormantClients(page)),
    claims: async (filter) => reader.read(() => claims(filter)),
    claimHashes: async (claimId) => reader.read(() => claimHashes(claimId)),
    expiringSecrets: async (page) => reader.read(() => directory.expiringSecrets(page)),
    scopes: async (environment) => reader.read(() => directory.scopes(environment)),
    resources: async (environment) => reader.read(() => directory.resources(environment)),
    changesAbout: async (query) => reader.read(() => directory.changesAbout(query)),
    keys: async (atMs) => reader.read(() => keys(atMs)),
    secretsByMac: async (macs, atMs) => reader.read(() => secretsByMac(macs, atMs)),
    refusals: async (query) => reader.read(() => refusalCounts(query)),
    policies: async () => reader.read(() => directory.policies()),
    lastChange: async (target) => reader.read(() => lastChange(target)),
    suspensions: async (filter) => reader.read(() => suspensions(filter)),
    dueSuspensions: async (atMs, limit) => reader.read(() => dueSuspensions(atMs, limit)),
    approvals: async (filter) => reader.read(() => approvals(filter)),
    wallMs: async () => clock.wallMs(),
  };
}

function auditOf(reader: Executor): AuditTrail {
  return {
    lines: async (filter) => reader.read(() => directory.audit(filter)),
    chain: async (range) => reader.read(() => directory.auditRows(range)),
    head: async () => reader.read(() => directory.auditHead()),
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
        slotPrefix: node.node.slice(0, node.node.lastIndexOf('-') + 1),
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

function checkpointsOf(reader: Executor, writer: Writer): Checkpoints {
  return {
    add: (checkpoint) => writer.write('addCheckpoint', checkpoint),
    latest: async () => reader.read(() => latestCheckpoint()),
    list: async (range) => reader.read(() => checkpoints(range)),
    signingKeys: async () => reader.read(() => signingKeys()),
  };
}

function webhooksOf(reader: Executor, writer: Writer): Webhooks {
  return {
    list: async (filter) => reader.read(() => webhooks(filter)),
    advance: (move) => writer.write('advanceWebhook', move),
    failed: (failure) => writer.write('webhookFailed', failure),
  };
}

function rosterOf(reader: Executor, writer: Writer): DutyRoster {
  return {
    claim: (claim) => writer.write('claimDuty', claim),
    extend: (held) => writer.write('extendDuty', held),
    end: (end) => writer.write('endDuty', end),
    list: async () => reader.read(() => listDuties()),
  };
}

/** A node's name says whose lock it holds: `node-SLOT-…`. */
function isGone(dataDirectory: string, node: string): boolean {
  const slot = node.split('-')[1];
  return slot !== undefined && isSlotFree(locksOf(dataDirectory), slot);
}
