/**
 * The verifiers that follow this node: each is told of every change in order, and may decide by what it remembers for as long as a
 * heartbeat said, counted from when it sent the ping that the heartbeat answers. Knows no socket and no store.
 *
 * A change is settled here once every subscriber has confirmed what it must forget, or cannot decide any more without having heard of it:
 * heartbeats are behind the change in the same stream, so only those sent before it count.
 */

import type { LoggedChange } from '../ports/change-log.ts';
import type { Clock, Randomness } from '../ports/clock.ts';
import type { Position } from '../ports/model.ts';
import { FORGET_ALL, type Forget, forgetOf, isAbout } from './forget.ts';
import type { Replica } from './replica.ts';

/** The open end of a subscriber's stream. */
export type Sink = {
  /** False: nobody hears it any more. */
  write(text: string): boolean;
  end(): void;
  onClose(then: () => void): void;
};

/** Subscribers of one node, those that have left and may still decide among them. */
export const SUBSCRIBERS_MAX = 100;
/** How long a subscriber may decide after a ping, at most. */
export const SUBSCRIBER_LEASE_MS = 3_000;
/** Changes that one may leave unconfirmed; beyond, it is cut off. */
const UNCONFIRMED_MAX = 1_000;
/** Changes that a subscriber which comes back may have missed; beyond, it forgets everything. */
const RECENT_CHANGES_MAX = 256;
/** Of larger ones it is only kept that they were. */
const RECENT_FACTS_MAX = 200;
/** A second's worth of clock drift is nothing; clocks may differ in rate by 1 %. */
const RATE_MARGIN = 1.01;

type Subscription = {
  readonly id: string;
  readonly environment: number;
  readonly client: number;
  readonly sink: Sink;
  isOpen: boolean;
  /** When it decides no more by any heartbeat so far, on this node's clock. */
  lapsesMs: number;
  /** What it has not confirmed, and when it can no longer decide without it. */
  unconfirmed: { readonly sequence: number; readonly lapsesMs: number }[];
};

type Recent = { readonly at: string; readonly change: LoggedChange | undefined };

export type Subscriptions = {
  hasRoom(): boolean;
  /** Tells a verifier of all changes from now on, or from after the one that it heard of last. */
  open(by: {
    readonly environment: number;
    readonly client: number;
    readonly sink: Sink;
    readonly heard: string | undefined;
  }): void;
  /** A numbered ping, and the last change that its sender has taken in. False: there is no such subscription, or it has ended. */
  ping(ping: {
    readonly subscription: string;
    readonly client: number;
    readonly number: number;
    readonly confirmed: number;
  }): boolean;
  changed(change: LoggedChange): void;
  /** The replica is loaded anew: nobody can be told what happened in between. */
  reset(): void;
  /** The last change that every subscriber has confirmed, or cannot decide without. */
  settled(): number;
  /** Whether nobody subscribes, and nobody who did may still decide. */
  isIdle(): boolean;
  /** Ends every stream and opens none. */
  stop(): void;
};

export function newSubscriptions(deps: {
  readonly replica: () => Pick<Replica, 'position' | 'clients'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** How long a subscriber may decide from now on; 0: not at all. */
  readonly grantMs: () => number;
  /** More may be settled than before. */
  readonly onSettled: () => void;
}): Subscriptions {
  const { replica, clock, randomness, grantMs, onSettled } = deps;
  const subscriptions = new Map<string, Subscription>();
  let recent: Recent[] = [];
  let isStopped = false;

  const end = (subscription: Subscription): void => {
    subscription.isOpen = false;
    subscription.sink.end();
  };
  const tell = (subscription: Subscription, event: string): void => {
    if (subscription.isOpen && !subscription.sink.write(event)) end(subscription);
  };
  const sweep = (): void => {
    const nowMs = clock.monotonicMs();
    for (const [id, subscription] of subscriptions) {
      subscription.unconfirmed = subscription.unconfirmed.filter(
        ({ lapsesMs }) => lapsesMs > nowMs,
      );
      if (!subscription.isOpen && subscription.lapsesMs <= nowMs) subscriptions.delete(id);
    }
  };

  /** What a subscriber which comes back has missed; undefined: that is not known here. */
  const missedSince = (heard: string | undefined): readonly Recent[] | undefined => {
    if (heard === positionText(replica().position)) return [];
    const index = recent.findIndex(({ at }) => at === heard);
    return index === -1 ? undefined : recent.slice(index + 1);
  };
  const forgetIn = (change: LoggedChange | undefined, environment: number): Forget | undefined =>
    change === undefined ? FORGET_ALL : forgetOf(change, environment, replica());

  const tellChange = (subscription: Subscription, change: LoggedChange, forget?: Forget): void => {
    const own = isAbout(change, subscription.client, replica());
    const gone = own ? FORGET_ALL : forget;
    const { sequence } = change;
    if (gone !== undefined) {
      subscription.unconfirmed.push({ sequence, lapsesMs: subscription.lapsesMs });
    }
    tell(subscription, changeEvent(positionText(replica().position), sequence, gone));
    if (own || subscription.unconfirmed.length > UNCONFIRMED_MAX) end(subscription);
  };

  return {
    hasRoom: () => {
      sweep();
      return !isStopped && subscriptions.size < SUBSCRIBERS_MAX;
    },
    open: ({ environment, client, sink, heard }) => {
      sweep();
      // Several may have been told that there is room, before the first of them took it.
      if (isStopped || subscriptions.size >= SUBSCRIBERS_MAX) return sink.end();
      const id = randomness.bytes(16).toString('base64url');
      const subscription: Subscription = {
        ...{ id, environment, client, sink },
        isOpen: true,
        lapsesMs: Number.NEGATIVE_INFINITY,
        unconfirmed: [],
      };
      subscriptions.set(id, subscription);
      sink.onClose(() => {
        subscription.isOpen = false;
      });
      const missed = missedSince(heard);
      const { sequence } = replica().position;
      const reset = missed === undefined;
      const hello = { subscription: id, sequence, ...(reset ? { reset } : {}) };
      const at = reset ? positionText(replica().position) : (heard as string);
      tell(subscription, eventText('hello', at, hello));
      for (const one of missed ?? []) {
        tell(subscription, changeEvent(one.at, sequence, forgetIn(one.change, environment)));
      }
    },
    ping: ({ subscription: id, client, number, confirmed }) => {
      const subscription = subscriptions.get(id);
      if (subscription === undefined || subscription.client !== client) return false;
      subscription.unconfirmed = subscription.unconfirmed.filter(
        ({ sequence }) => sequence > confirmed,
      );
      const leaseMs = subscription.isOpen && !isStopped ? Math.floor(grantMs()) : 0;
      if (leaseMs > 0) {
        const lapsesMs = clock.monotonicMs() + leaseMs * RATE_MARGIN;
        subscription.lapsesMs = Math.max(subscription.lapsesMs, lapsesMs);
        tell(subscription, eventText('heartbeat', undefined, { ping: number, lease_ms: leaseMs }));
      }
      onSettled();
      return subscription.isOpen;
    },
    changed: (change) => {
      const isLarge = change.facts.length > RECENT_FACTS_MAX;
      recent.push({
        at: positionText(replica().position),
        change: isLarge ? undefined : change,
      });
      if (recent.length > RECENT_CHANGES_MAX) recent.shift();
      if (subscriptions.size === 0) return;
      sweep();
      const forgets = new Map<number, Forget | undefined>();
      for (const subscription of subscriptions.values()) {
        const { environment } = subscription;
        if (!forgets.has(environment)) forgets.set(environment, forgetIn(change, environment));
        tellChange(subscription, change, forgets.get(environment));
      }
      onSettled();
    },
    reset: () => {
      recent = [];
      for (const subscription of subscriptions.values()) {
        // Until it lapses it may decide without what happened in between, whatever that was.
        subscription.unconfirmed.push({ sequence: 0, lapsesMs: subscription.lapsesMs });
        end(subscription);
      }
    },
    settled: () => {
      sweep();
      let { sequence } = replica().position;
      for (const { unconfirmed } of subscriptions.values()) {
        for (const one of unconfirmed) sequence = Math.min(sequence, one.sequence - 1);
      }
      return Math.max(0, sequence);
    },
    isIdle: () => {
      sweep();
      return subscriptions.size === 0;
    },
    stop: () => {
      isStopped = true;
      for (const subscription of subscriptions.values()) end(subscription);
    },
  };
}

/** A position of the log as one word, told to resource servers alone: equal only where the history is. */
export function positionText({ incarnation, sequence, changeId }: Position): string {
  return `${incarnation}.${sequence}.${changeId}`;
}

function changeEvent(at: string, sequence: number, forget: Forget | undefined): string {
  return eventText('change', at, forget === undefined ? { sequence } : { sequence, forget });
}

/** WHATWG HTML §9.2.5: a line each, an empty one at the end. JSON holds no line break. */
function eventText(event: string, id: string | undefined, data: object): string {
  const named = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${event}\n${named}data: ${JSON.stringify(data)}\n\n`;
}
