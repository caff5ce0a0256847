/** One exchange with the authority: bounded in time and size, over no redirect, its answer read as JSON. */

import { TokenError } from './errors.ts';

export type Send = {
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
};

export type Told = {
  readonly status: number;
  readonly headers: Headers;
  /** Empty where the answer is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
};

/** An authority's answers are a few hundred bytes. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** Sends a request to the authority. Throws `TokenError` 'unavailable' when there is no answer. */
export async function send(url: URL, init: RequestInit, options: Send): Promise<Told> {
  // By itself: an edge runtime refuses a `fetch` that is called as a method of something else.
  const { fetch, timeoutMs } = options;
  try {
    const response = await fetch(url, {
      ...init,
      headers: { Accept: 'application/json', ...(init.headers as Record<string, string>) },
      // A secret that follows a redirect goes to whoever wrote it. Not 'error', which edge runtimes do not know: a 3xx is no answer here.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: objectOf(await textOf(response)),
    };
  } catch (cause) {
    if (cause instanceof TokenError) throw cause;
    throw new TokenError('unavailable', `the authority at ${url.origin} cannot be reached`, {
      cause,
    });
  }
}

/** What an answer other than 200 means. */
export function failureOf({ status, headers, body }: Told, what: string): TokenError {
  const oauthError = codeOf(body['error']);
  const requestId = headers.get('x-request-id') ?? undefined;
  const more = { oauthError, requestId, retryAfterMs: retryAfterMs(headers) };
  const told = `${what}: ${status}${oauthError === undefined ? '' : ` ${oauthError}`}`;
  if (status === 429 || status >= 500) return new TokenError('unavailable', told, more);
  if (status === 401 && oauthError === 'invalid_client') {
    const advice = 'check client_id and client_secret, and whether access is suspended';
    return new TokenError('credentials-refused', `${told}; ${advice}`, more);
  }
  return new TokenError(oauthError === undefined ? 'misconfigured' : 'refused', told, more);
}

/** A code of the standards, never a text that a server made up. */
function codeOf(error: unknown): string | undefined {
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : undefined;
}

function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

async function textOf(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > ANSWER_BYTES_MAX) {
      throw new TokenError('misconfigured', 'an answer of the authority is far too large');
    }
  }
  return text;
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
