/**
 * Looks some of the verified tokens up in the journal, off the path of every answer: whoever holds a stolen key can seal tokens
 * that every node accepts, but cannot put them on record. Knows no key and no store, only the journal's reader.
 */

import type { TokenClaims } from '../credentials/access-token.ts';
import type { Clock, Randomness } from '../ports/clock.ts';
import type { IssuedToken, JournalReader } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';

/** On average; what a sample costs is paid this often at most, however many tokens are verified. */
export const SAMPLE_INTERVAL_MS = 5_000;
/** Tokens that wait to be looked up; at the interval and the longest delay there are some 250. */
const PENDING_MAX = 512;
/** A client is not given more tokens in one millisecond than this. */
const TOKENS_PER_MS_MAX = 1_000;

export type VerifiedToken = { readonly jti: string; readonly claims: TokenClaims };

export type RecordChecks = {
  /** Told of every token that was just found alive; costs a comparison unless a sample is due. */
  verified(token: VerifiedToken): void;
  /** Ends what `newRecordChecks` has begun; resolves when no look-up is under way. */
  stop(): Promise<void>;
};

/** Begins to sample. An error line is written for each sampled token that is not on record. */
export function newRecordChecks(deps: {
  readonly journal: JournalReader;
  readonly clientIdOf: (ordinal: number) => string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
  /** How long after its use a token is looked up: by then its row must be where a look-up costs little. */
  readonly delayMs: number;
}): RecordChecks {
  const { journal, clientIdOf, clock, randomness, log, delayMs } = deps;
  const pending: { readonly token: VerifiedToken; readonly dueMs: number }[] = [];
  const stopping = new AbortController();
  let isSampleDue = false;

  const lookUp = async ({ jti, claims }: VerifiedToken): Promise<void> => {
    const { client, issuedAtMs } = claims;
    const at = { sinceMs: issuedAtMs, untilMs: issuedAtMs };
    const issued = await journal.list({ client, ...at, limit: TOKENS_PER_MS_MAX });
    if (issued.some((record) => isRecordOf(record, { jti, claims }))) return;
    const sealedFor = { client: clientIdOf(client), jti, issuedAtMs };
    log.error(sealedFor, 'a verified token is not on record');
  };

  /** At most one an interval, as at most one was taken in an interval. */
  const lookUpDue = async (): Promise<void> => {
    const [first] = pending;
    if (first === undefined || first.dueMs > clock.monotonicMs()) return;
    pending.shift();
    await lookUp(first.token);
  };

  const sample = async (): Promise<void> => {
    for (;;) {
      // Not to be foretold, or a forger would use its token in between.
      const share = (randomness.bytes(1)[0] ?? 0) / 255;
      await clock.sleep(SAMPLE_INTERVAL_MS * (0.5 + share), stopping.signal);
      if (stopping.signal.aborted) return;
      isSampleDue = pending.length < PENDING_MAX;
      await lookUpDue().catch((error: Error) => {
        // It is no alarm: nothing is known of the token. The next sample is asked for again.
        log.warn({ cause: error.message }, 'a verified token could not be looked up');
      });
    }
  };

  const sampling = sample();
  return {
    verified: ({ jti, claims }) => {
      if (!isSampleDue) return;
      isSampleDue = false;
      pending.push({ token: { jti, claims }, dueMs: clock.monotonicMs() + delayMs });
    },
    stop: () => {
      stopping.abort();
      return sampling;
    },
  };
}

/** All of it: or who knows one token that is on record could seal another that may do more, under the same name. */
function isRecordOf(record: IssuedToken, { jti, claims }: VerifiedToken): boolean {
  return (
    Buffer.from(record.jti).toString('base64url') === jti &&
    record.client === claims.client &&
    record.generation === claims.generation &&
    record.secret === claims.secret &&
    record.scopeSet === claims.scopeSet &&
    record.resource === claims.resource &&
    record.issuedAtMs === claims.issuedAtMs &&
    record.lifetimeSeconds === claims.lifetimeSeconds
  );
}
