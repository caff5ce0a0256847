/**
 * Slows down whoever guesses secrets (RFC 6749 §2.3.1), by client and address together and by address alone: nobody can lock a
 * partner out from elsewhere, and a probe without a secret never counts.
 */

/** Failures in a row that an address may have with one client; then one more each `PAIR_REFILL_MS`. */
const PAIR_FAILURES_MAX = 10;
const PAIR_REFILL_MS = 6_000;
/** The same for an address over all clients, so that spelling variants of a client_id gain nothing. */
const ADDRESS_FAILURES_MAX = 100;
const ADDRESS_REFILL_MS = 600;
/** Buckets held at a time, some 100 bytes each. */
const BUCKETS_MAX = 50_000;

export type Admission = {
  /** Milliseconds to wait before this pair may try again; 0: now. */
  waitMs(attempt: Attempt): number;
  /** Counts an attempt with a wrong secret or an unknown client. */
  failed(attempt: Attempt): void;
};

export type Attempt = {
  /** Ordinal of a client that exists, or undefined. */
  readonly client: number | undefined;
  readonly environment: number;
  readonly address: string;
  readonly nowMs: number;
};

type Bucket = { failures: number; atMs: number };

export function newAdmission(): Admission {
  const buckets = new Map<string, Bucket>();
  const limitsOf = (attempt: Attempt): readonly [string, number, number][] => {
    const byAddress: [string, number, number] = [
      attempt.address,
      ADDRESS_FAILURES_MAX,
      ADDRESS_REFILL_MS,
    ];
    if (attempt.client === undefined) return [byAddress];
    const pair = `${attempt.environment}/${attempt.client}/${attempt.address}`;
    return [[pair, PAIR_FAILURES_MAX, PAIR_REFILL_MS], byAddress];
  };
  /** How many failures still count: they wear off one by one. */
  const counted = (key: string, refillMs: number, nowMs: number): number => {
    const bucket = buckets.get(key);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.failures - Math.max(0, nowMs - bucket.atMs) / refillMs);
  };
  return {
    waitMs: (attempt) => {
      // The usual case: nobody has failed lately.
      if (buckets.size === 0) return 0;
      let wait = 0;
      for (const [key, most, refillMs] of limitsOf(attempt)) {
        const over = counted(key, refillMs, attempt.nowMs) - most + 1;
        if (over > 0) wait = Math.max(wait, over * refillMs);
      }
      return wait;
    },
    failed: (attempt) => {
      for (const [key, most, refillMs] of limitsOf(attempt)) {
        const failures = Math.min(most, counted(key, refillMs, attempt.nowMs) + 1);
        // Taken out and put in again: a Map keeps its order of insertion, so the oldest bucket comes first.
        buckets.delete(key);
        buckets.set(key, { failures, atMs: attempt.nowMs });
      }
      for (const key of buckets.keys()) {
        if (buckets.size <= BUCKETS_MAX) break;
        buckets.delete(key);
      }
    },
  };
}
