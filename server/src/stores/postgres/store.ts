/** The store for many nodes: one PostgreSQL database, a few connections a process, and nothing kept on this machine. */

import { hostname } from 'node:os';
import type { ChangeLog, Fact, NodeRegistry, Snapshot } from '../../ports/change-log.ts';
import type { Clock, Randomness } from '../../ports/clock.ts';
import type { Committed } from '../../ports/store.ts';
import type { Closing } from '../sql/append.ts';
import { lineOf } from '../sql/append.ts';
import {
  keyFacts,
  loadClientCredentials,
  pollChanges,
  positionOfStore,
  SNAPSHOT_PARTS,
} from '../sql/change-log.ts';
import { effectOf } from '../sql/commit.ts';
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
import { type Call, promised } from '../sql/promised.ts';
import { READS } from '../sql/reads.ts';
import type { Steps } from '../sql/schema.ts';
import { WRITES } from '../sql/writes.ts';
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
  const read = ({ steps }: Call): Promise<unknown> => executor.read(working, steps);
  const write = ({ steps }: Call): Promise<unknown> => executor.write(working, steps);
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
    ...promised(WRITES.changes, write),
    directory: {
      ...promised(READS.directory, read),
      wallMs: () => working.use(executor.wallMs),
    },
    audit: promised(READS.audit, read),
    checkpoints: { ...promised(READS.checkpoints, read), ...promised(WRITES.checkpoints, write) },
    webhooks: { ...promised(READS.webhooks, read), ...promised(WRITES.webhooks, write) },
    log: changeLogOf({ following, loading }, options),
    rootKeys: () => executor.read(working, () => keyFacts()),
    nodes: registryOf({ following, working }, options),
    replication: () => replicationOf(working),
    duties: { ...promised(READS.duties, read), ...promised(WRITES.duties, write) },
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
