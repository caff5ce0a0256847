/** The store for many nodes: one PostgreSQL database, a few connections a process, and nothing kept on this machine. */

import { hostname } from 'node:os';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { ChangeLog, Fact, NodeRegistry, Snapshot } from '../../ports/change-log.ts';
import type { Checkpoints } from '../../ports/checkpoints.ts';
import type { Clock, Randomness } from '../../ports/clock.ts';
import type { DutyRoster } from '../../ports/duties.ts';
import type { Committed, Directory } from '../../ports/store.ts';
import type { Webhooks } from '../../ports/webhooks.ts';
import type { Closing } from '../sql/append.ts';
import { lineOf } from '../sql/append.ts';
import {
  keyFacts,
  loadClientCredentials,
  pollChanges,
  positionOfStore,
  SNAPSHOT_PARTS,
} from '../sql/change-log.ts';
import { addCheckpoint, checkpoints, latestCheckpoint, signingKeys } from '../sql/checkpoints.ts';
import { claimHashes, claims } from '../sql/claims.ts';
import { effectOf } from '../sql/commit.ts';
import * as directory from '../sql/directory.ts';
import { dormantClients } from '../sql/dormancy.ts';
import { claimDuty, endDuty, extendDuty, listDuties } from '../sql/duties.ts';
import { secretsByMac } from '../sql/found-secrets.ts';
import { keys, moveSecret } from '../sql/keys.ts';
import {
  acknowledgeNode,
  fenceNode,
  leaveNode,
  listNodes,
  listNodesAfter,
  nodesAfter,
  renewalStep,
  renewNode,
} from '../sql/nodes.ts';
import { prune } from '../sql/prune.ts';
import { shareQuota } from '../sql/quotas.ts';
import { noteRefusals, refusalCounts } from '../sql/refusals.ts';
import type { Steps } from '../sql/schema.ts';
import { noteUses } from '../sql/secret-uses.ts';
import { approvals, dueSuspensions, suspensions } from '../sql/suspensions.ts';
import { lastChange } from '../sql/unchanged.ts';
import { advanceWebhook, webhookFailed, webhooks } from '../sql/webhooks.ts';
import type { Store } from '../store.ts';
import { type Connections, openConnections } from './connections.ts';
import * as executor from './executor.ts';
import { newOutliving, noticeOrigin, registerUnlessLost, replicationOf } from './origin.ts';
import { watchNotifications } from './watch.ts';

/** Three kinds of work, none of which waits for another: what keeps this node deciding, what `/token` asks for, and changes. */
const FOLLOWING_CONNECTIONS_MAX = 2;
const LOADING_CONNECTIONS_MAX = 3;
const WORKING_CONNECTIONS_MAX = 3;
/** Changes queue: many revocations of one client wait for each other. */
const WORKING_WAIT_MS_MAX = 10_000;

export type PostgresStoreOptions = {
  readonly databaseUrl: string;
  /** Whether to listen for changes; else polling alone tells of them. */
  readonly notifications: boolean;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Fingerprint of the master key that this process has. */
  readonly masterKeyCheck: string;
  /** Told why a node does not yet decide. */
  readonly tell?: ((message: string) => void) | undefined;
};

/** Opens a store whose schema is up to date and whose first rows are written (see `migrate.ts`). */
export function openPostgresStore(options: PostgresStoreOptions): Store {
  const { randomness } = options;
  const { databaseUrl } = options;
  const open = (connectionsMax: number): Connections =>
    openConnections({ databaseUrl, connectionsMax, randomness });
  const following = open(FOLLOWING_CONNECTIONS_MAX);
  const loading = open(LOADING_CONNECTIONS_MAX);
  const working = openConnections({
    databaseUrl,
    randomness,
    connectionsMax: WORKING_CONNECTIONS_MAX,
    connectMsMax: WORKING_WAIT_MS_MAX,
  });
  return {
    commit: (command) => {
      const changeId = randomness.bytes(9).toString('base64url');
      return executor.change(working, function* (): Steps<Closing | Committed> {
        const effect = yield* effectOf(command);
        if ('changed' in effect) return effect;
        const { actor, atMs } = command;
        return { ...effect, kind: effect.kind ?? command.change.kind, actor, atMs, changeId };
      });
    },
    record: async (line) => {
      // One statement that commits itself: it holds the head of the audit trail and never waits for us.
      const values = [line.action, line.change ?? null, lineOf(line)];
      await working.use((session) => session.query('select append_audit($1, $2, $3)', values));
    },
    directory: directoryOf(working),
    audit: auditOf(working),
    checkpoints: checkpointsOf(working),
    webhooks: webhooksOf(working),
    log: changeLogOf({ following, loading }, options),
    rootKeys: () => executor.read(working, () => keyFacts()),
    moveSecret: (move) => executor.write(working, () => moveSecret(move)),
    shareQuota: (share) => executor.write(working, () => shareQuota(share)),
    prune: (atMs) => executor.write(working, () => prune(atMs)),
    noteRefusals: (counts) => executor.write(working, () => noteRefusals(counts)),
    noteUses: (uses) => executor.write(working, () => noteUses(uses)),
    nodes: registryOf({ following, working }, options),
    replication: () => replicationOf(working),
    duties: rosterOf(working),
    takeNode: () => ({ node: newNodeName(randomness), slot: '1' }),
    close: async () => {
      await Promise.all([following.close(), loading.close(), working.close()]);
    },
  };
}

/** Random, as nobody on another machine could tell whether an earlier node of the same name is gone. */
function newNodeName(randomness: Randomness): string {
  const machine = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 32);
  return `${machine}-${randomness.bytes(6).toString('hex')}`;
}

function directoryOf(connections: Connections): Directory {
  const read = <T>(steps: () => Steps<T>): Promise<T> => executor.read(connections, steps);
  return {
    environments: () => read(() => directory.environments()),
    programs: (filter) => read(() => directory.programs(filter)),
    clients: (filter) => read(() => directory.clients(filter)),
    countClients: (filter) => read(() => directory.countClients(filter)),
    secrets: (filter) => read(() => directory.secrets(filter)),
    dormantClients: (page) => read(() => dormantClients(page)),
    claims: (filter) => read(() => claims(filter)),
    claimHashes: (claimId) => read(() => claimHashes(claimId)),
    expiringSecrets: (page) => read(() => directory.expiringSecrets(page)),
    scopes: (environment) => read(() => directory.scopes(environment)),
    resources: (environment) => read(() => directory.resources(environment)),
    changesAbout: (query) => read(() => directory.changesAbout(query)),
    keys: (atMs) => read(() => keys(atMs)),
    secretsByMac: (macs, atMs) => read(() => secretsByMac(macs, atMs)),
    refusals: (query) => read(() => refusalCounts(query)),
    policies: () => read(() => directory.policies()),
    lastChange: (target) => read(() => lastChange(target)),
    suspensions: (filter) => read(() => suspensions(filter)),
    dueSuspensions: (atMs, limit) => read(() => dueSuspensions(atMs, limit)),
    approvals: (filter) => read(() => approvals(filter)),
    wallMs: () => connections.use(executor.wallMs),
  };
}

function auditOf(connections: Connections): AuditTrail {
  const read = <T>(steps: () => Steps<T>): Promise<T> => executor.read(connections, steps);
  return {
    lines: (filter) => read(() => directory.audit(filter)),
    chain: (range) => read(() => directory.auditRows(range)),
    head: () => read(() => directory.auditHead()),
  };
}

function changeLogOf(
  { following, loading }: { following: Connections; loading: Connections },
  options: PostgresStoreOptions,
): ChangeLog {
  return {
    snapshot: (take) => snapshotOf(following, take),
    poll: (after) => executor.read(following, () => pollChanges(after)),
    loadClient: (ordinal) => executor.read(loading, () => loadClientCredentials(ordinal)),
    watch: (wake) => (options.notifications ? watchNotifications(options, wake) : () => {}),
  };
}

/** All facts are read first, as `take` may not wait for the network; only the facts are kept, not the rows. */
async function snapshotOf<T>(
  connections: Connections,
  take: (snapshot: Snapshot) => T,
): Promise<T> {
  const facts: Fact[] = [];
  const position = await connections.use((session) =>
    executor.readIn(session, async () => {
      for (const part of SNAPSHOT_PARTS) {
        await executor.inPages(session, part.query, (row) => facts.push(part.factOf(row)));
      }
      return await executor.runSteps(session, positionOfStore());
    }),
  );
  return take({ position, facts });
}

function registryOf(
  { following, working }: { following: Connections; working: Connections },
  options: PostgresStoreOptions,
): NodeRegistry {
  const now = (): number => options.clock.wallMs();
  const step = (): number => renewalStep(options.randomness);
  const listTogether = together((sequences: readonly number[]) =>
    executor.read(working, () => listNodesAfter(sequences)),
  );
  const list = () => executor.read(working, () => listNodes());
  const fence = (node: string, renewals: number) =>
    executor.write(working, () => fenceNode(node, renewals));
  const { clock, tell = () => {} } = options;
  const outlive = newOutliving({ list, fence, clock, tell });
  return {
    register: async (node) => {
      for (;;) {
        const lost = await executor.write(following, () =>
          registerUnlessLost({
            ...node,
            atMs: now(),
            step: step(),
            slotPrefix: node.node,
            masterKeyCheck: options.masterKeyCheck,
          }),
        );
        if (lost === undefined) return;
        await outlive(lost);
      }
    },
    renew: (node, applied) =>
      executor.writeInSnapshot(following, function* () {
        yield* noticeOrigin();
        return yield* renewNode({ node, applied, atMs: now(), step: step() });
      }),
    acknowledge: (node, applied) => executor.write(following, () => acknowledgeNode(node, applied)),
    leave: (node) => executor.write(following, () => leaveNode(node)),
    list,
    // Whoever waits for a receipt asks every few milliseconds; many of them are one question.
    listAfter: async (change) => nodesAfter(await listTogether(change.sequence), change),
    fence,
    // Nothing here can tell a process on another machine that is gone from one that is cut off.
    isDead: async () => false,
  };
}

function checkpointsOf(working: Connections): Checkpoints {
  return {
    add: (checkpoint) => executor.write(working, () => addCheckpoint(checkpoint)),
    latest: () => executor.read(working, () => latestCheckpoint()),
    list: (range) => executor.read(working, () => checkpoints(range)),
    signingKeys: () => executor.read(working, () => signingKeys()),
  };
}

function webhooksOf(working: Connections): Webhooks {
  return {
    list: (filter) => executor.read(working, () => webhooks(filter)),
    advance: (move) => executor.write(working, () => advanceWebhook(move)),
    failed: (failure) => executor.write(working, () => webhookFailed(failure)),
  };
}

function rosterOf(working: Connections): DutyRoster {
  return {
    claim: (claim) => executor.write(working, () => claimDuty(claim)),
    extend: (held) => executor.write(working, () => extendDuty(held)),
    end: (end) => executor.write(working, () => endDuty(end)),
    list: () => executor.read(working, () => listDuties()),
  };
}

/** One run for all who ask before it begins, each about something: an answer is never older than the question. */
function together<Asked, T>(
  run: (asked: readonly Asked[]) => Promise<T>,
): (asked: Asked) => Promise<T> {
  let running: Promise<unknown> | undefined;
  let next: { readonly asked: Set<Asked>; readonly answer: Promise<T> } | undefined;
  const begin = (asked: ReadonlySet<Asked>): Promise<T> => {
    const begun = run([...asked]).finally(() => {
      if (running === begun) running = undefined;
    });
    running = begun;
    return begun;
  };
  const after = (earlier: Promise<unknown>): NonNullable<typeof next> => {
    const asked = new Set<Asked>();
    const start = (): Promise<T> => {
      next = undefined;
      return begin(asked);
    };
    return { asked, answer: earlier.then(start, start) };
  };
  return (one) => {
    if (running === undefined && next === undefined) return begin(new Set([one]));
    next ??= after(running ?? Promise.resolve());
    next.asked.add(one);
    return next.answer;
  };
}
