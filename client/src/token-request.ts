/** Asks for one token (RFC 6749 §4.4): with each secret of a rotation in turn, patiently while the authority is busy. */

import { TokenError } from './errors.ts';
import { Redacted } from './redacted.ts';
import { failureOf, type Send, send } from './send.ts';

export type Granted = {
  readonly token: Redacted;
  readonly lifetimeMs: number;
  /** The secret that was taken. */
  readonly secret: string;
};

export type Ask = Send & {
  readonly tokenEndpoint: URL;
  readonly clientId: string;
  readonly scope: string | undefined;
  readonly resource: string | undefined;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
};

/** Tries of one secret while the answer is 429 or 503, or there is none. */
const TRIES_MAX = 4;
const BACKOFF_MS = 250;
/** RFC 6750 §2.1. Anything else fits no header, and the error that says so would show it. */
const B64_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Longer than this nobody waits for a token; who asked is told how long it takes. */
const WAIT_MS_MAX = 10_000;

/** A token by the first secret that is taken. Throws `TokenError`. */
export async function requestToken(ask: Ask, secrets: readonly string[]): Promise<Granted> {
  let refused: TokenError | undefined;
  for (const secret of secrets) {
    const granted = await patiently(ask, () => askOnce(ask, secret));
    if (!(granted instanceof TokenError)) return granted;
    refused = granted;
  }
  throw refused ?? new TokenError('misconfigured', 'clientSecret: there is no secret to try');
}

/** A grant, or the refusal of this very secret. Everything else is thrown. */
async function askOnce(ask: Ask, secret: string): Promise<Granted | TokenError> {
  const { clientId, scope, resource } = ask;
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: secret,
    ...(scope === undefined ? {} : { scope }),
    ...(resource === undefined ? {} : { resource }),
  });
  const told = await send(ask.tokenEndpoint, { method: 'POST', body }, ask);
  if (told.status !== 200) {
    const failure = failureOf(told, 'no token');
    if (failure.code === 'credentials-refused') return failure;
    throw failure;
  }
  const { access_token, token_type, expires_in } = told.body;
  const isBearer = typeof token_type === 'string' && token_type.toLowerCase() === 'bearer';
  const isToken = typeof access_token === 'string' && B64_TOKEN.test(access_token);
  if (!isToken || typeof expires_in !== 'number' || !(expires_in > 0) || !isBearer) {
    throw new TokenError('misconfigured', 'the answer to a token request holds no bearer token');
  }
  return { token: new Redacted(access_token), lifetimeMs: expires_in * 1000, secret };
}

/** Again and again while the authority says that it will be able to, each time later, and never all clients at the same moment. */
export async function patiently<T>(
  { random, sleep }: Pick<Ask, 'random' | 'sleep'>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isBusy = error instanceof TokenError && error.code === 'unavailable';
      if (!isBusy || tries >= TRIES_MAX) throw error;
      const wait = Math.max(error.retryAfterMs ?? 0, BACKOFF_MS * 2 ** (tries - 1));
      if (wait > WAIT_MS_MAX) throw error;
      await sleep(wait * (1 + random() / 4));
    }
  }
}
