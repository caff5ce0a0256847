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
    // Not the error itself: it may hold the request, and so the secret.
    const told = `the authority at ${url.origin} cannot be reached: ${faultOf(cause)}`;
    throw new TokenError('unavailable', told);
  }
}

/** What an answer other than 200 means. */
export function failureOf({ status, headers, body }: Told, what: string): TokenError {
  const oauthError = codeOf(body['error']);
  const requestId = headers.get('x-request-id') ?? undefined;
  const more = { oauthError, requestId, retryAfterMs: retryAfterMs(headers) };
  const told = `${what}: ${status}${oauthError === undefined ? '' : ` ${oauthError}`}`;
  if (status === 429 || status >= 500) return new TokenError('unavailable', told, more);
  if (oauthError === 'invalid_client') {
    const advice = 'check client_id and client_secret, and whether access is suspended';
    return new TokenError('credentials-refused', `${told}; ${advice}`, more);
  }
  return new TokenError(oauthError === undefined ? 'misconfigured' : 'refused', told, more);
}

/** A code of the standards, never a text that a server made up. */
function codeOf(error: unknown): string | undefined {
  return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : undefined;
}

/** RFC 9110 §10.2.3: seconds, or a date; a date is compared with that of the answer, as two clocks seldom agree. */
function retryAfterMs(headers: Headers): number | undefined {
  const told = headers.get('retry-after') ?? '';
  if (/^\d{1,9}$/.test(told)) return Number(told) * 1000;
  const until = Date.parse(told);
  if (Number.isNaN(until)) return undefined;
  const sent = Date.parse(headers.get('date') ?? '');
  return Math.max(0, until - (Number.isNaN(sent) ? Date.now() : sent));
}

/** A code such as ECONNREFUSED, of the error or of its cause, or the name of the error. */
function faultOf(error: unknown): string {
  const { cause, code, name } = Object(error) as {
    cause?: unknown;
    code?: unknown;
    name?: unknown;
  };
  const codes = [Object(cause).code, code, name];
  return (
    codes.map(String).find((one) => /^[A-Z][A-Za-z_]{2,40}$/.test(one) && one !== 'TypeError') ??
    'no answer'
  );
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
