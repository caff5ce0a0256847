/** How long this node may keep deciding without news from the store. It knows two readings of a clock and nothing else. */

export type Reading = { readonly monotonicMs: number; readonly wallMs: number };

export type Lease = {
  readonly leaseMs: number;
  /** The time by which the lease counts. Read it before a renewal is sent, and often: what was slept is told by two readings. */
  read(now: Reading): number;
  /** Extends the lease to `leaseMs` after `sentMs`, read before the renewal was sent: an answer may be old. */
  renewed(sentMs: number): void;
  /** Ends the lease now. */
  end(): void;
  /** Whether the node may decide at this moment. */
  isHeldAt(now: Reading): boolean;
  /** Milliseconds left, 0 when it is not held. */
  remainingMs(now: Reading): number;
};

/** The wall clock must run ahead by more than this to tell of a sleep: less is rounding, or a clock being adjusted. */
const SLEEP_MS_MIN = 50;

export function newLease(leaseMs: number): Lease {
  let endMs = Number.NEGATIVE_INFINITY;
  /** How far the wall clock was ahead of the monotonic one at its lowest since the last sleep. */
  let aheadMs = Number.POSITIVE_INFINITY;
  let sleptMs = 0;

  // A monotonic clock may stand still while the machine sleeps; the wall clock tells. What was slept is added up for good: a wall
  // clock that is set back, before or after, proves nothing and gives nothing back.
  const read = ({ monotonicMs, wallMs }: Reading): number => {
    const nowAheadMs = wallMs - monotonicMs;
    if (nowAheadMs < aheadMs) aheadMs = nowAheadMs;
    else if (nowAheadMs - aheadMs > SLEEP_MS_MIN) {
      sleptMs += nowAheadMs - aheadMs;
      aheadMs = nowAheadMs;
    }
    return monotonicMs + sleptMs;
  };
  const remainingMs = (now: Reading): number => Math.max(0, endMs - read(now));
  return {
    leaseMs,
    read,
    renewed: (sentMs) => {
      endMs = Math.max(endMs, sentMs + leaseMs);
    },
    end: () => {
      endMs = Number.NEGATIVE_INFINITY;
    },
    isHeldAt: (now) => remainingMs(now) > 0,
    remainingMs,
  };
}
