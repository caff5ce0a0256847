/**
 * The simulated store: a primary that commits, a standby that may be behind, and after a failover an old primary that still answers
 * reads. It implements the ports over each process's own way to it. Knows nothing of nodes beyond their rows.
 */

import type {
  ChangeLog,
  ChangeRef,
  NodeRegistry,
  NodeRow,
} from '../server/src/ports/change-log.ts';
import { type Command, type Committed, StoreUnavailable } from '../server/src/ports/store.ts';
import { commitTo, type StoreFlaws } from './commit.ts';
import { TOKEN_KEY_LIST } from './keys.ts';
import type { Machine } from './machine.ts';
import type { Arrival, Link } from './network.ts';
import type { Random } from './random.ts';
import {
  changeIdAt,
  copyOf,
  headOf,
  loadClient,
  pollOf,
  type State,
  type StoredChange,
  snapshotOf,
} from './state.ts';
import type { Timeline } from './timeline.ts';

/** What one process gets of the store, besides its network. */
export type Access = {
  /** The store refuses its writes; its reads are answered. */
  readOnly: boolean;
  /** How often its reads and its writes go to the old primary, while there is one: it has several connections. */
  toOldPrimary: { readonly reads: number; readonly writes: number };
};

/** It is connected to nobody but the primary. */
export const NO_STRAY: Access['toOldPrimary'] = { reads: 0, writes: 0 };

export type Connection = {
  readonly log: ChangeLog;
  readonly nodes: NodeRegistry;
  readonly access: Access;
  commit(command: Command): Promise<Committed>;
};

/** Who is told what the store does, at the moment it does it. */
export type Witness = {
  committed(change: StoredChange): void;
  /** Everything after `sequence` is lost. */
  lost(after: number): void;
  /** The reply to a renewal has reached the process. */
  renewed(machine: Machine, sent: { readonly localMs: number; readonly trueMs: number }): void;
  /** A row is taken away because it was silent, or because its process is gone. */
  writtenOff(machine: Machine, row: NodeRow): void;
  /** What became of a row of the registry, in words. */
  registry(what: string): void;
};

export type Store = {
  readonly primary: State;
  /** Whether there is one, or an answer of it may still be on its way. */
  readonly hasOldPrimary: boolean;
  /** How often a hint that the log has grown is lost. */
  hintsLost: number;
  /** Up; silent for a while, what arrives waits; or down, what arrives is lost. */
  status: 'up' | 'stalled' | 'down';
  /** Lets go what a stall held up. */
  recover(): void;
  connect(machine: Machine, link: Link): Connection;
  /** The standby is as the primary is now; from here on it falls behind. */
  synchronise(): void;
  /** The standby takes over: with all that was committed, or as it is. The old primary may go on answering reads. */
  failOver(how: { loses: 'nothing' | 'changes'; newIncarnation: boolean }): void;
  forgetOldPrimary(): void;
};

type Parts = {
  readonly initial: State;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly flaws: StoreFlaws;
  readonly witness: Witness;
  /** Whether the store can tell that a process is gone, as SQLite's file locks do. */
  readonly locks: boolean;
};

/** Longest time between the number of a change and its commit, when numbers are given out first. */
const NUMBERED_EARLY_MS_MAX = 60;
/** How late an answer may come: the longest deadline of a client, and more. */
const LATE_ANSWER_MS_MAX = 10_000;

export function newStore(parts: Parts): Store {
  const { timeline, random, flaws, witness } = parts;
  let primary = parts.initial;
  let standby = copyOf(primary);
  let oldPrimary: State | undefined;
  let oldPrimaryGoneMs = -Infinity;
  let heldUp: (() => void)[] = [];
  const watchers = new Set<{ link: Link; wake: () => void }>();
  const processes = new Map<string, Machine>();

  const wakeAll = (): void => {
    for (const { link, wake } of watchers) if (!random.chance(store.hintsLost)) link.hint(wake);
  };

  const commit = (state: State, command: Command): Committed => {
    const changeId = random.bytes(6).toString('base64url');
    const early = flaws.numbersBeforeCommit ? random.between(0, NUMBERED_EARLY_MS_MAX) : 0;
    const visibleFromMs = timeline.nowMs + early;
    const committed = commitTo(state, { ...command, changeId, visibleFromMs }, flaws);
    const change = state.changes[committed.sequence - 1];
    if (committed.changed && change !== undefined) {
      witness.committed(change);
      wakeAll();
    }
    return committed;
  };

  /** What becomes of a request that has arrived. */
  const arrival =
    <T>(access: Access, kind: 'read' | 'write', act: (state: State) => T) =>
    (thenTake: (value: T) => unknown): Arrival =>
    (answer) => {
      const run = (): void => {
        const isOld =
          oldPrimary !== undefined &&
          random.chance(access.toOldPrimary[kind === 'read' ? 'reads' : 'writes']);
        // A commit of the old primary waits for a standby that is none any more: it never ends.
        if (isOld && kind === 'write') return;
        if (access.readOnly && kind === 'write') answer(outage('the store is read-only'));
        else answer(outcomeOf(() => act(isOld ? (oldPrimary as State) : primary), thenTake));
      };
      if (store.status === 'stalled') heldUp.push(run);
      else if (store.status === 'up') run();
      else if (random.chance(0.7)) answer(outage('the store is down'));
    };

  const connect = (machine: Machine, link: Link): Connection => {
    const access: Access = { readOnly: false, toOldPrimary: NO_STRAY };
    const ask = <T>(kind: 'read' | 'write', act: (state: State) => T): Promise<T> =>
      link.send(arrival(access, kind, act)((value) => value));
    return {
      access,
      commit: (command) => ask('write', (state) => commit(state, command)),
      log: {
        snapshot: (take) =>
          link.send(
            arrival(access, 'read', (state) => snapshotOf(state, timeline.nowMs))(take as never),
          ),
        poll: (after) => ask('read', (state) => pollOf(state, after, timeline.nowMs)),
        loadClient: (ordinal) => ask('read', (state) => loadClient(state, ordinal)),
        watch: (wake) => {
          const watcher = { link, wake };
          watchers.add(watcher);
          return () => watchers.delete(watcher);
        },
      },
      nodes: registryOf({
        ...{ machine, ask, timeline, random, flaws, witness, processOf },
        locks: parts.locks,
      }),
    };
    function processOf(node: string): Machine | undefined {
      return processes.get(node);
    }
  };

  const store: Store = {
    get primary() {
      return primary;
    },
    get hasOldPrimary() {
      return oldPrimary !== undefined || timeline.nowMs - oldPrimaryGoneMs < LATE_ANSWER_MS_MAX;
    },
    hintsLost: 0,
    status: 'up',
    recover: () => {
      store.status = 'up';
      const running = heldUp;
      heldUp = [];
      for (const run of running) timeline.after(0, run);
    },
    connect: (machine, link) => {
      const connection = connect(machine, link);
      const register: NodeRegistry['register'] = (node) => {
        processes.set(node.node, machine);
        return connection.nodes.register(node);
      };
      return { ...connection, nodes: { ...connection.nodes, register } };
    },
    synchronise: () => {
      standby = copyOf(primary);
    },
    failOver: ({ loses, newIncarnation }) => {
      oldPrimary = primary;
      primary = copyOf(loses === 'nothing' ? primary : standby);
      witness.lost(headOf(primary));
      if (newIncarnation) beginAnew(primary, random);
      standby = copyOf(primary);
    },
    forgetOldPrimary: () => {
      oldPrimary = undefined;
      oldPrimaryGoneMs = timeline.nowMs;
    },
  };
  return store;
}

const outage = (why: string) => (): never => {
  throw new StoreUnavailable(why);
};

/** Does it now, and tells of it when the reply has come. */
function outcomeOf<T>(act: () => T, thenTake: (value: T) => unknown): () => unknown {
  try {
    const value = act();
    return () => thenTake(value);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** A promotion that lost changes: no token made before it may open any more. */
function beginAnew(state: State, random: Random): void {
  const newest = state.tokenKeys.at(-1)?.version ?? 0;
  const next = TOKEN_KEY_LIST[newest];
  if (next === undefined) throw new Error('a history with more promotions than there are keys');
  state.tokenKeys = [next];
  state.incarnation = random.bytes(6).toString('base64url');
}

type RegistryParts = {
  readonly machine: Machine;
  readonly ask: <T>(kind: 'read' | 'write', act: (state: State) => T) => Promise<T>;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly flaws: StoreFlaws;
  readonly witness: Witness;
  readonly locks: boolean;
  readonly processOf: (node: string) => Machine | undefined;
};

function registryOf(parts: RegistryParts): NodeRegistry {
  const { machine, ask, timeline, random, flaws, witness, locks, processOf } = parts;
  const step = (): number => (flaws.countsRenewals ? 1 : 1 + random.below(2 ** 24));
  const set = (state: State, node: string, columns: Partial<NodeRow>): void => {
    const row = state.nodes.get(node);
    if (row !== undefined) state.nodes.set(node, { ...row, ...columns });
  };
  const acknowledge = (state: State, node: string, { sequence, changeId }: ChangeRef): void => {
    const isSame = changeIdAt(state, sequence) === changeId;
    const row = state.nodes.get(node);
    if (isSame && row !== undefined && row.appliedSequence < sequence) {
      witness.registry(`${node} confirms ${sequence}`);
      set(state, node, { appliedSequence: sequence });
    }
  };
  return {
    register: (node) => {
      const atMs = machine.clock.wallMs();
      const times = { startedAtMs: atMs, renewedAtMs: atMs };
      return ask('write', (state) => {
        witness.registry(`${node.node} registers`);
        const renewals = atMs + step();
        state.nodes.set(node.node, { ...node, renewals, appliedSequence: 0, ...times });
      });
    },
    renew: async (node, applied) => {
      const sent = { localMs: machine.clock.monotonicMs(), trueMs: timeline.nowMs };
      const poll = await ask('write', (state) => {
        const row = state.nodes.get(node);
        witness.registry(`${node} at ${applied.sequence} ${row ? 'renews' : 'has no row'}`);
        if (row === undefined) return undefined;
        acknowledge(state, node, applied);
        set(state, node, { renewals: row.renewals + step() });
        return pollOf(state, applied.sequence, timeline.nowMs);
      });
      if (poll !== undefined) witness.renewed(machine, sent);
      return poll;
    },
    acknowledge: (node, applied) => ask('write', (state) => acknowledge(state, node, applied)),
    leave: (node) =>
      ask('write', (state) => {
        witness.registry(`${node} leaves`);
        state.nodes.delete(node);
      }),
    list: () => ask('read', (state) => [...state.nodes.values()]),
    listAfter: ({ sequence, changeId }) =>
      ask('read', (state) =>
        (flaws.knowsByNumber && sequence <= headOf(state)) ||
        changeIdAt(state, sequence) === changeId
          ? [...state.nodes.values()]
          : undefined,
      ),
    fence: (node, renewals) =>
      ask('write', (state) => {
        const row = state.nodes.get(node);
        if (row?.renewals !== renewals) return false;
        witness.registry(`${node} is written off`);
        const process = processOf(node);
        if (process !== undefined) witness.writtenOff(process, row);
        return state.nodes.delete(node);
      }),
    isDead: async (node) => {
      await Promise.resolve();
      return locks && processOf(node)?.isAlive === false;
    },
  };
}
