/** `fetch` for a partner's server: each call carries a good token, to the bank's API and nowhere else. */

import type { Redacted } from './redacted.ts';
import { requireSafeUrl } from './safe-url.ts';
import type { SecretSource } from './secret-source.ts';
import { newTokenSource } from './token-source.ts';

export type ClientOptions = {
  /** The environment's issuer, as told at onboarding: `https://auth.bank.example/production`. */
  readonly issuer: string | URL;
  readonly clientId: string;
  readonly clientSecret: SecretSource;
  /** The API's origins, such as `https://api.bank.example`: the token is sent to these alone. A path in one narrows nothing down. */
  readonly api: string | URL | readonly (string | URL)[];
  /** Scopes to ask for, parted by spaces; left out: all that the client may have. */
  readonly scope?: string;
  /** The resource to ask a token for (RFC 8707). */
  readonly resource?: string;
  /** Where tokens are asked for, instead of what the issuer's metadata says. */
  readonly tokenEndpoint?: string | URL;
  /** How long a token request may take, in milliseconds (default 10,000). */
  readonly timeoutMs?: number;
  /** Another `fetch`, such as one with a proxy. */
  readonly fetch?: typeof globalThis.fetch;
};

export type Client = {
  /**
   * Like `fetch`, with a token. A 401 is answered by one more try with a new token, unless the body cannot be sent twice. Redirects
   * are never followed: the answer is handed over as it is. Throws `TokenError` when there is no token to be had, and `TypeError` for a
   * URL outside the API.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** The token itself, for callers that cannot use `fetch`. It prints as `[redacted]`; `reveal()` gives its text. */
  readonly accessToken: () => Promise<Redacted>;
};

const TIMEOUT_MS = 10_000;

/** A client of the bank's API. Nothing is asked for before the first call. */
export function createClient(options: ClientOptions): Client {
  const send = options.fetch ?? globalThis.fetch;
  const api = [options.api].flat().map((one) => requireSafeUrl('api', one as string | URL).origin);
  if (api.length === 0) throw new TypeError("api names no origin: say where the bank's API is");
  const tokens = newTokenSource({
    issuer: requireSafeUrl('issuer', options.issuer),
    tokenEndpoint:
      options.tokenEndpoint === undefined
        ? undefined
        : requireSafeUrl('tokenEndpoint', options.tokenEndpoint),
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    scope: options.scope,
    resource: options.resource,
    fetch: send,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    nowMs: () => performance.now(),
    random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });

  return {
    accessToken: tokens.get,
    fetch: async (input, init = {}) => {
      const isRequest = input instanceof Request;
      const url = requireSafeUrl('the URL', isRequest ? input.url : input);
      if (!api.includes(url.origin)) {
        throw new TypeError(
          `the URL is none of the API: tokens are sent to ${api.join(', ')} alone`,
        );
      }
      if (url.searchParams.has('access_token')) throw tokenInUrl();
      const signal = init.signal ?? (isRequest ? input.signal : undefined);
      const sendWith = async (token: Redacted): Promise<Response> => {
        if (url.href.includes(token.reveal())) throw tokenInUrl();
        return await send(isRequest ? input : url, {
          ...init,
          headers: withToken(input, init, token),
          // To follow one would hand the token to whoever it leads to.
          redirect: 'manual',
        });
      };
      signal?.throwIfAborted();
      const token = await abortable(tokens.get(), signal);
      const response = await sendWith(token);
      if (response.status !== 401) return response;
      tokens.discard(token);
      if (!canBeSentAgain(input, init)) return response;
      await response.body?.cancel();
      const next = await abortable(tokens.get(), signal);
      return await sendWith(next);
    },
  };
}

function withToken(input: string | URL | Request, init: RequestInit, token: Redacted): Headers {
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : {}));
  headers.set('Authorization', `Bearer ${token.reveal()}`);
  return headers;
}

function tokenInUrl(): TypeError {
  return new TypeError(
    'the URL holds an access token: URLs end up in logs. It is sent in a header',
  );
}

/** Only what is known to give the same bytes each time; a stream, or anything that may be one, is read once. */
function canBeSentAgain(input: string | URL | Request, init: RequestInit): boolean {
  const body = init.body ?? undefined;
  if (body === undefined) return !(input instanceof Request) || input.body === null;
  if (typeof body === 'string' || body instanceof ArrayBuffer || ArrayBuffer.isView(body))
    return true;
  return [Blob, FormData, URLSearchParams].some((kind) => body instanceof kind);
}

/** Whoever has gone away waits no longer; the request for the token goes on for the others. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (signal === undefined || signal === null) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
