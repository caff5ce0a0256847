/**
 * Keeps a replica abreast of the change log and holds the node's lease: registers first, polls afterwards, decides only
 * while the lease runs. Time and the store are handed in.
 */

import type { ChangeLog, NodeRegistry, NodeRow, Poll } from '../ports/change-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/model.ts';
import { type Lease, newLease, type Reading } from './lease.ts';
import { oneAtATime } from './one-at-a-time.ts';
import type { Replica } from './replica.ts';

export type FollowerOptions = {
  readonly leaseMs: number;
  /** The floor under every wake-up: a lost hint costs this much. */
  readonly pollIntervalMs: number;
};

export const FOLLOWER_DEFAULTS: FollowerOptions = { leaseMs: 30_000, pollIntervalMs: 100 };
/** Renewals within one lease: several may fail before the node has to stop. */
const RENEWALS_PER_LEASE = 6;

export type Follower = {
  /** Resolves once the node is registered, loaded and may decide. */
  start(): Promise<void>;
  /** Whether this node may decide at this moment. Ask in the same synchronous step as the decision. */
  mayDecide(): boolean;
  leaseRemainingMs(): number;
  /** Polls to the end of the log as it is now or later; callers that ask together share one poll. */
  catchUp(): Promise<void>;
  /** Stops deciding, then takes the node out of the registry. */
  stop(): Promise<void>;
};

export type FollowerDeps = {
  readonly log: ChangeLog;
  readonly nodes: NodeRegistry;
  readonly replica: Replica;
  readonly clock: Clock;
  readonly node: Omit<
    NodeRow,
    'leaseMs' | 'renewals' | 'appliedSequence' | 'startedAtMs' | 'renewedAtMs'
  >;
  /** Told of every failed exchange with the store; the lease runs on until it runs out. */
  readonly onFailure: (step: string, error: unknown) => void;
};

export function newFollower(deps: FollowerDeps, options: FollowerOptions): Follower {
  const { log, nodes, replica, clock, onFailure } = deps;
  const { node } = deps.node;
  const lease: Lease = newLease(options.leaseMs);
  const now = (): Reading => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });
  const stopping = new AbortController();
  let unwatch = (): void => {};
  /** Rises when the replica is loaded or the node registered anew, so that an answer to an older question counts for nothing. */
  let epoch = 0;
  let acknowledged = 0;
  /** Whether the store has this node's row, as far as the node knows. */
  let isRegistered = false;

  /** What it decided on before is void. Its row is as well: the store may have gone back, and the row's counter with it. */
  const decideNoMore = (): void => {
    lease.end();
    epoch += 1;
    acknowledged = 0;
    isRegistered = false;
  };

  const reload = async (): Promise<void> => {
    decideNoMore();
    await log.snapshot((snapshot) => {
      // Once more: what was renewed since the snapshot was asked for may stand on a later state than this one.
      decideNoMore();
      replica.load(snapshot);
    });
  };

  const acknowledge = async (): Promise<void> => {
    while (!stopping.signal.aborted && replica.position.sequence > acknowledged) {
      const applied = replica.position;
      const appliedEpoch = epoch;
      await nodes.acknowledge(node, applied);
      if (appliedEpoch === epoch) acknowledged = applied.sequence;
    }
  };

  /** Records in the registry how far this node is; one write at a time, the last word wins. */
  const acknowledging = oneAtATime(() =>
    acknowledge().catch((error) => onFailure('acknowledge', error)),
  );

  /** One question to the log and its answer applied. False: the log holds more, or the replica had to be loaded anew. */
  const ask = async (question: (after: Position) => Promise<Poll>): Promise<boolean> => {
    // Often, and not only with requests: a sleep is told by the readings before and after it.
    lease.read(now());
    const asked = replica.position;
    const askedEpoch = epoch;
    const poll = await question(asked);
    if (askedEpoch !== epoch) return false;
    const outcome = replica.take(poll, asked);
    if (outcome === 'diverged') {
      await reload();
      return false;
    }
    if (replica.position.sequence > acknowledged) acknowledging.ask();
    return outcome === 'current';
  };

  const poll = async (): Promise<void> => {
    while (!stopping.signal.aborted && !(await ask(({ sequence }) => log.poll(sequence)))) {
      // More to come: the event loop had its turn in between.
    }
  };

  /** Only this extends the lease: a committed write whose poll has been applied to its end, counted from before it was sent. */
  const renew = async (): Promise<void> => {
    if (!isRegistered) return register();
    const sentMs = lease.read(now());
    let registered = true;
    const current = await ask(async (after) => {
      const renewal = await nodes.renew(node, after);
      registered = renewal !== undefined;
      return renewal ?? (await log.poll(after.sequence));
    });
    if (stopping.signal.aborted) return;
    if (!registered) return register();
    if (current) lease.renewed(sentMs);
    else await poll();
  };

  /** Puts the node's row in the registry: it was written off, or never known. The poll that a lease counts from comes after. */
  const register = async (): Promise<void> => {
    decideNoMore();
    if (replica.position.incarnation === '') await reload();
    const { version, listen, process } = deps.node;
    await nodes.register({ node, leaseMs: options.leaseMs, version, listen, process });
    // Once more: what was acknowledged meanwhile went to an earlier row, or to none.
    decideNoMore();
    isRegistered = true;
    await renew();
  };

  const catchUp = shared(poll);

  /** Runs a step over and over until the follower stops; its failures are told, never thrown. */
  const repeat = async (step: string, everyMs: number, run: () => Promise<void>): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await run().catch((error) => onFailure(step, error));
    }
  };

  return {
    start: async () => {
      await register();
      while (!stopping.signal.aborted && !lease.isHeldAt(now())) await renew();
      unwatch = log.watch(() => {
        catchUp().catch((error) => onFailure('poll', error));
      });
      void repeat('poll', options.pollIntervalMs, catchUp);
      void repeat('renew', options.leaseMs / RENEWALS_PER_LEASE, async () => {
        await renew();
        replica.forget(clock.monotonicMs());
      });
    },
    mayDecide: () => lease.isHeldAt(now()),
    leaseRemainingMs: () => lease.remainingMs(now()),
    catchUp,
    stop: async () => {
      stopping.abort();
      lease.end();
      unwatch();
      await acknowledging.idle();
      await nodes.leave(node);
    },
  };
}

/** One run for all who ask before it begins: whoever asks while one is under way waits for the next. */
function shared(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    running = run().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
}
