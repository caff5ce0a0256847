/** Time and randomness as the authority sees them: always handed in, so that a seed can replay everything. */

export type Clock = {
  /** Wall-clock milliseconds since the Unix epoch. Used for expiry, never compared between machines. */
  wallMs(): number;
  /** Milliseconds on a clock that never goes back. Used for leases and durations. */
  monotonicMs(): number;
  /** Waits at least `ms` milliseconds, or until `end` is aborted; resolves either way. */
  sleep(ms: number, end?: AbortSignal): Promise<void>;
};

export type Randomness = {
  /** `length` bytes from a cryptographically secure source. */
  bytes(length: number): Buffer;
};
