/**
 * The row of the registry that stands for this node's subscribers, with a lease of its own: receipts wait for it like for a node. It
 * outlives the node's process, as its subscribers' leases do. There is none while nobody subscribes.
 */

import { type NodeRegistry, type NodeRow, SUBSCRIBERS } from '../ports/change-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Follower } from './follower.ts';
import { type Lease, newLease, type Reading } from './lease.ts';
import { oneAtATime } from './one-at-a-time.ts';
import type { Replica } from './replica.ts';
import { SUBSCRIBER_LEASE_MS, type Subscriptions } from './subscriptions.ts';

const RENEWALS_PER_LEASE = 6;
/** How often it is looked whether the last lease of a stopping node's subscribers is over. */
const LOOK_INTERVAL_MS = 20;

export type SubscriberRow = {
  /** Sees to it that there is a row, and that it is renewed; resolves once subscribers may be let decide. */
  ensure(): Promise<void>;
  /** How long a subscriber may decide from now on, as far as the row goes. */
  remainingMs(): number;
  /** Records what is settled, soon. */
  acknowledgeSoon(): void;
  /** Void is what was renewed before: the replica is loaded anew. */
  reset(): void;
  /** Waits until no subscriber may decide, and takes the row away. */
  stop(): Promise<void>;
};

export function newSubscriberRow(deps: {
  readonly nodes: NodeRegistry;
  readonly follower: () => Follower;
  readonly replica: () => Replica;
  readonly subscriptions: () => Subscriptions;
  readonly clock: Clock;
  readonly node: Pick<NodeRow, 'node' | 'version' | 'listen' | 'process'>;
  readonly onFailure: (step: string, error: unknown) => void;
}): SubscriberRow {
  const { nodes, follower, replica, subscriptions, clock, onFailure } = deps;
  const node = SUBSCRIBERS + deps.node.node;
  const lease: Lease = newLease(SUBSCRIBER_LEASE_MS);
  const now = (): Reading => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });
  const stopping = new AbortController();
  let isRegistered = false;
  let epoch = 0;
  let acknowledged = 0;
  let turn: Promise<void> = Promise.resolve();
  let isKeptUp = false;

  /** One after the other: a row is never taken away under a renewal. */
  const inTurn = (step: () => Promise<void>): Promise<void> => {
    const done = turn.then(step);
    turn = done.catch(() => {});
    return done;
  };

  const settledRef = () => {
    const { position, changeIdAt } = replica();
    const sequence = subscriptions().settled();
    if (sequence === position.sequence) return position;
    return { sequence, changeId: changeIdAt(sequence) ?? '' };
  };

  const renew = async (): Promise<void> => {
    if (!isRegistered) {
      lease.end();
      const { version, listen, process } = deps.node;
      await nodes.register({ node, leaseMs: SUBSCRIBER_LEASE_MS, version, listen, process });
      isRegistered = true;
      acknowledged = 0;
    }
    const renewedEpoch = epoch;
    const sentMs = lease.read(now());
    const renewal = await nodes.renew(node, settledRef());
    if (renewal === undefined) {
      // Written off: whatever its lease allowed is over.
      isRegistered = false;
      lease.end();
      return;
    }
    // All that was committed before the renewal has been told to the subscribers before the lease counts for them.
    await follower().catchUp();
    if (renewedEpoch === epoch && !stopping.signal.aborted) lease.renewed(sentMs);
  };

  const leaveIfIdle = async (): Promise<boolean> => {
    if (!subscriptions().isIdle()) return false;
    lease.end();
    isRegistered = false;
    await nodes.leave(node);
    return true;
  };

  /** Renews for as long as there is somebody to renew for. */
  const keepUp = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(SUBSCRIBER_LEASE_MS / RENEWALS_PER_LEASE, stopping.signal);
      if (stopping.signal.aborted) return;
      let left = false;
      await inTurn(async () => {
        left = await leaveIfIdle();
        if (!left) await renew();
        else isKeptUp = false;
      }).catch((error) => onFailure('renew subscribers', error));
      if (left) return;
    }
  };

  const acknowledge = async (): Promise<void> => {
    for (;;) {
      const settled = settledRef();
      const settledEpoch = epoch;
      if (!isRegistered || settled.sequence <= acknowledged || settled.changeId === '') return;
      await nodes.acknowledge(node, settled);
      if (settledEpoch === epoch) acknowledged = settled.sequence;
    }
  };

  const acknowledging = oneAtATime(() =>
    acknowledge().catch((error) => onFailure('acknowledge subscribers', error)),
  );

  return {
    ensure: () =>
      inTurn(async () => {
        if (!lease.isHeldAt(now())) await renew();
        if (!isKeptUp) void keepUp();
        isKeptUp = true;
      }),
    remainingMs: () => lease.remainingMs(now()),
    acknowledgeSoon: acknowledging.ask,
    reset: () => {
      epoch += 1;
      acknowledged = 0;
      lease.end();
    },
    stop: async () => {
      subscriptions().stop();
      while (!subscriptions().isIdle()) await clock.sleep(LOOK_INTERVAL_MS);
      stopping.abort();
      await turn;
      await acknowledging.idle();
      if (isRegistered) await nodes.leave(node);
    },
  };
}
