/**
 * Asks the authority about a token (RFC 7662) and tells three answers apart: alive, not alive, and not known just now. Remembers
 * no answer, so that a suspension counts from the next request on. Knows no route and no scope.
 */

import { type Identity, identityOf } from './identity.ts';
import { type Outage, outage } from './outage.ts';
import type { Secrets } from './secret-source.ts';

export type Introspected =
  | {
      readonly standing: 'active';
      readonly identity: Identity;
      /** The change that the answer stands on, where the authority says so. */
      readonly position?: string | undefined;
      /** How long the token has to live, by the authority's clock, counted from before the question. */
      readonly lifetimeMs?: number;
    }
  | { readonly standing: 'inactive' }
  /** It says nothing about the token. */
  | { readonly standing: 'unknown'; readonly outage: Outage };

export type Question = { readonly token: string; readonly clientIp: string | undefined };
export type Introspect = (question: Question) => Promise<Introspected>;

export type IntrospectOptions = {
  readonly issuer: string;
  readonly clientId: string;
  readonly secrets: Secrets;
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
};

type Told = { readonly status: number; readonly headers: Headers; readonly text: string };

/** Far above what the authority answers. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Several kept connections may be closed at one time. */
const RESENDS_MAX = 3;

/** Makes the question. `fetch` keeps connections alive between questions. */
export function newIntrospect(options: IntrospectOptions): Introspect {
  const { secrets, timeoutMs } = options;
  return async (question) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const tried = await secrets.read().catch(() => undefined);
    if (tried === undefined)
      return { standing: 'unknown', outage: outage('credentials-refused', NO_SECRET) };
    try {
      for (const secret of tried) {
        const told = await ask(options, { ...question, secret, signal });
        if (told.status === 401) continue;
        if (told.status !== 200) return { standing: 'unknown', outage: refusal(told) };
        secrets.worked(secret);
        return read(told);
      }
      if (tried.length > 0) secrets.refused();
      return { standing: 'unknown', outage: outage('credentials-refused', CREDENTIALS_REFUSED) };
    } catch (error) {
      return { standing: 'unknown', outage: unreachable(error, timeoutMs) };
    }
  };
}

const NO_SECRET = 'the client secret cannot be read: the function that was given for it throws';
const CREDENTIALS_REFUSED =
  "the authority refuses this API's own credentials (401): check client id and client secret, and whether the secret has " +
  'expired or the client is suspended';

async function ask(
  { issuer, clientId, fetch }: IntrospectOptions,
  asked: Question & { readonly secret: string; readonly signal: AbortSignal },
): Promise<Told> {
  const { token, clientIp, secret, signal } = asked;
  const body = new URLSearchParams({ client_id: clientId, client_secret: secret, token });
  if (clientIp !== undefined) body.set('client_ip', clientIp);
  const send = async (): Promise<Told> => {
    const response = await fetch(`${issuer}/introspect`, {
      method: 'POST',
      headers: { Accept: 'application/json' },
      body,
      // A secret that follows a redirect goes to whoever wrote it. Not 'error', which edge runtimes do not know.
      redirect: 'manual',
      signal,
    });
    // Read in any case: a body that nobody reads keeps its connection from being used again.
    return {
      status: response.status,
      headers: response.headers,
      text: await textOf(response),
    };
  };
  for (let resent = 0; ; resent++) {
    try {
      return await send();
    } catch (error) {
      // A kept connection that the other side was just closing: the question changes nothing, so it may be asked again.
      if (signal.aborted || resent === RESENDS_MAX || !isClosedConnection(error)) throw error;
    }
  }
}

async function textOf(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > ANSWER_BYTES_MAX) throw new Error('an answer is far too large');
  }
  return text;
}

function read({ text, headers }: Told): Introspected {
  const answer = parse(text);
  if (answer['active'] === false) return { standing: 'inactive' };
  const identity = identityOf(answer);
  if (identity !== undefined) {
    const position = headers.get('X-Change-Position') ?? undefined;
    return { standing: 'active', identity, position, lifetimeMs: lifetimeMs(identity, headers) };
  }
  const message = 'the authority sent an answer that this API cannot read';
  return { standing: 'unknown', outage: outage('unreadable', message, { requestId: id(headers) }) };
}

/** By the authority's clock alone, whose seconds are cut off: a second less, so that it is never too long. */
function lifetimeMs({ expiresAtSeconds }: Identity, headers: Headers): number {
  const saidMs = Date.parse(headers.get('Date') ?? '');
  return Number.isNaN(saidMs) ? 0 : Math.max(0, (expiresAtSeconds - 1) * 1000 - saidMs);
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Whatever it is that the authority refuses, it is this API's trouble and never the caller's: it must not look like a bad token. */
function refusal({ status, headers }: Told): Outage {
  const more = { retryAfter: headers.get('Retry-After'), requestId: id(headers) };
  const isBusy = status === 429 || status >= 500;
  return outage(isBusy ? 'unavailable' : 'unreadable', `the authority answered ${status}`, more);
}

function id(headers: Headers): string | undefined {
  return headers.get('X-Request-Id') ?? undefined;
}

function unreachable(error: unknown, timeoutMs: number): Outage {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return outage('unreachable', `the authority did not answer within ${timeoutMs} ms`);
  }
  const code = codeOf(error);
  const known = code === undefined ? '' : ` (${code})`;
  return outage('unreachable', `the authority cannot be reached${known}`);
}

function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : undefined;
}

function isClosedConnection(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(codeOf(error) ?? '');
}
