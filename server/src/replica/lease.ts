/** How long this node may keep deciding without news from the store. It knows two readings of a clock and nothing else. */

export type Reading = { readonly monotonicMs: number; readonly wallMs: number };

export type Lease = {
  readonly leaseMs: number;
  /** Extends the lease to `leaseMs` after `sent`, a reading taken before the renewal was sent: an answer may be old. */
  renewed(sent: Reading): void;
  /** Ends the lease now. */
  end(): void;
  /** Whether the node may decide at this moment. */
  isHeldAt(now: Reading): boolean;
  /** Milliseconds left, 0 when it is not held. */
  remainingMs(now: Reading): number;
};

export function newLease(leaseMs: number): Lease {
  let from: Reading | undefined;
  const remainingMs = (now: Reading): number => {
    if (from === undefined) return 0;
    const elapsed = now.monotonicMs - from.monotonicMs;
    // A monotonic clock may stand still while the machine sleeps; the wall clock tells. A wall clock set back proves nothing.
    const elapsedOnWall = now.wallMs - from.wallMs;
    return Math.max(0, leaseMs - Math.max(elapsed, elapsedOnWall));
  };
  return {
    leaseMs,
    renewed: (sent) => {
      if (from === undefined || sent.monotonicMs > from.monotonicMs) from = sent;
    },
    end: () => {
      from = undefined;
    },
    isHeldAt: (now) => remainingMs(now) > 0,
    remainingMs,
  };
}
