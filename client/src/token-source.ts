/** Holds the token: one request for all who ask, renewed ahead of its end, given up when the API refuses it. */

import { discoverTokenEndpoint } from './discovery.ts';
import { TokenError } from './errors.ts';
import type { Redacted } from './redacted.ts';
import { readSecrets, type SecretSource } from './secret-source.ts';
import { shareRuns } from './share-runs.ts';
import { type Ask, type Granted, patiently, requestToken } from './token-request.ts';

export type TokenSource = {
  /** A token that is good now. Throws `TokenError`. */
  get(): Promise<Redacted>;
  /** The API has refused this token: the next one who asks gets another. */
  discard(token: Redacted): void;
};

export type TokenSourceOptions = Omit<Ask, 'tokenEndpoint'> & {
  readonly issuer: URL;
  readonly tokenEndpoint: URL | undefined;
  readonly clientSecret: SecretSource;
  readonly nowMs: () => number;
};

/** Renewed at a moment between these shares of its life, so that a partner's many processes do not all ask at once. */
const RENEWED_FROM = 0.75;
const RENEWED_TO = 0.9;
/** After a failure nothing is asked before this; doubled with each, up to the longest, unless the authority is merely away. */
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 60_000;
/** The longest Retry-After that is obeyed to the end. */
const RETRY_AFTER_MS_MAX = 3_600_000;

type Held = { readonly token: Redacted; readonly renewAtMs: number; readonly endsAtMs: number };

export function newTokenSource(options: TokenSourceOptions): TokenSource {
  const { nowMs, random } = options;
  let { tokenEndpoint } = options;
  let held: Held | undefined;
  let lastGood: string | undefined;
  let failure: { readonly error: TokenError; readonly untilMs: number } | undefined;
  let failures = 0;

  const ask = async (): Promise<Redacted> => {
    tokenEndpoint ??= await patiently(options, () =>
      discoverTokenEndpoint(options.issuer, options),
    );
    const current = await readSecrets(options.clientSecret);
    // The new one first; the one that worked last may outlive what the source says.
    const secrets = lastGood === undefined ? current : [...new Set([...current, lastGood])];
    // From before it was sent: the token's life began somewhere in between.
    const askedAtMs = nowMs();
    const granted = await requestToken({ ...options, tokenEndpoint }, secrets);
    lastGood = granted.secret;
    held = lifeOf(granted, askedAtMs, random());
    return granted.token;
  };

  const askAndRemember = async (): Promise<Redacted> => {
    // A client that is suspended, or told to come back later, must not hammer the authority with each call of the API.
    if (failure !== undefined && nowMs() < failure.untilMs) throw failure.error;
    try {
      const token = await ask();
      failures = 0;
      failure = undefined;
      return token;
    } catch (error) {
      if (error instanceof TokenError) {
        failure = { error, untilMs: nowMs() + pauseAfter(error, failures) };
        failures += 1;
      }
      throw error;
    }
  };

  const renew = shareRuns(askAndRemember, nowMs);

  return {
    get: async () => {
      const now = nowMs();
      if (held === undefined || now >= held.endsAtMs) return await renew();
      // Good still: nobody waits for the next one, and should it fail there is time to try again.
      if (now >= held.renewAtMs) renew().catch(() => {});
      return held.token;
    },
    discard: (token) => {
      if (held?.token === token) held = undefined;
    },
  };
}

function pauseAfter({ code, retryAfterMs = 0 }: TokenError, failures: number): number {
  // It was asked patiently already, and may be back at any moment.
  const own = code === 'unavailable' ? PAUSE_MS : Math.min(PAUSE_MS * 2 ** failures, PAUSE_MS_MAX);
  return Math.max(own, Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));
}

function lifeOf({ token, lifetimeMs }: Granted, askedAtMs: number, random: number): Held {
  const share = RENEWED_FROM + random * (RENEWED_TO - RENEWED_FROM);
  return { token, renewAtMs: askedAtMs + lifetimeMs * share, endsAtMs: askedAtMs + lifetimeMs };
}
