/** How long a verifier may decide by what it remembers. It knows readings of clocks and nothing else. */

export type Reading = { readonly monotonicMs: number; readonly wallMs: number };

export type StreamLease = {
  /** A ping is about to be sent; returns its number. */
  pinged(now: Reading): number;
  /** A heartbeat has come that answers this ping and says for how long the node lets us decide. */
  heard(ping: number, leaseMs: number): void;
  /** What an earlier stream allowed is over: another node may know less than the one that allowed it. */
  end(): void;
  isHeldAt(now: Reading): boolean;
  /** When the last ping that was answered had been sent; undefined: none was. */
  readonly answeredMs: number | undefined;
};

export const LEASE_MS_MAX = 3_000;
/** Pings whose heartbeat may still come. */
const PINGS_MAX = 16;

/**
 * The lease counts from when the ping was *sent*: how long its heartbeat was on the way nobody knows, and counted from its arrival a
 * heartbeat that was held up would let a suspended client in.
 */
export function newStreamLease(): StreamLease {
  const sent = new Map<number, Reading>();
  let pings = 0;
  let lease: { readonly from: Reading; readonly leaseMs: number } | undefined;
  return {
    pinged: (now) => {
      pings += 1;
      sent.set(pings, now);
      sent.delete(pings - PINGS_MAX);
      return pings;
    },
    heard: (ping, leaseMs) => {
      const from = sent.get(ping);
      if (from === undefined || !(leaseMs > 0)) return;
      // Heartbeats come in the order of the pings or not at all; an older one takes nothing back.
      if (lease !== undefined && lease.from.monotonicMs > from.monotonicMs) return;
      lease = { from, leaseMs: Math.min(leaseMs, LEASE_MS_MAX) };
    },
    end: () => {
      sent.clear();
      lease = undefined;
    },
    isHeldAt: (now) => {
      if (lease === undefined) return false;
      const { from, leaseMs } = lease;
      // A machine that slept is told by its wall clock: the other one may have stood still.
      return now.monotonicMs - from.monotonicMs < leaseMs && now.wallMs - from.wallMs < leaseMs;
    },
    get answeredMs() {
      return lease?.from.monotonicMs;
    },
  };
}
