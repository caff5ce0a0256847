/**
 * Asks the authority about a token (RFC 7662) and tells three answers apart: alive, not alive, and not known just now.
 * Remembers no answer, so that a suspension counts from the next request on. Knows no route and no scope.
 */

export type ActiveToken = {
  readonly programId: string;
  readonly clientId: string;
  readonly scope: ReadonlySet<string>;
};

export type Introspected =
  | { readonly standing: 'active'; readonly token: ActiveToken }
  | { readonly standing: 'inactive' }
  /** An outage: it says nothing about the token. `cause` is for the log. */
  | { readonly standing: 'unknown'; readonly cause: string; readonly retryAfterSeconds: number };

export type Introspect = (token: string) => Promise<Introspected>;

const TIMEOUT_MS = 2_000;
const RETRY_AFTER_SECONDS_MAX = 60;

/** Makes the question. Connections are kept alive between questions by `fetch` itself. */
export function makeIntrospect(authority: {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}): Introspect {
  const { issuer, clientId, clientSecret } = authority;
  return async (token) => {
    try {
      const response = await fetch(`${issuer}/introspect`, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, token }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // Read in any case: a body that nobody reads keeps its connection from being used again.
      const text = await response.text();
      if (response.status === 200) return read(text);
      return unknown(refusal(response.status), response.headers.get('Retry-After'));
    } catch (error) {
      return unknown(reasonOf(error));
    }
  };
}

function read(text: string): Introspected {
  const answer = parse(text);
  if (answer['active'] === false) return { standing: 'inactive' };
  const { program_id: programId, client_id: clientId, scope = '' } = answer;
  const isComplete =
    answer['active'] === true &&
    typeof programId === 'string' &&
    programId !== '' &&
    typeof clientId === 'string' &&
    typeof scope === 'string';
  if (!isComplete) return unknown('the authority sent an answer that this API cannot read');
  const names = scope.split(' ').filter((name) => name !== '');
  return { standing: 'active', token: { programId, clientId, scope: new Set(names) } };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Its own credentials being refused is this API's trouble, never the caller's: it must not look like a bad token. */
function refusal(status: number): string {
  if (status === 401 || status === 403) {
    return (
      `the authority refuses this API's own credentials (${status}): check CLIENT_ID and CLIENT_SECRET, whether the ` +
      'secret has expired or the client is suspended, and that it was made with --resource-server'
    );
  }
  return `the authority answered ${status}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the authority cannot be reached';
  if (error.name === 'TimeoutError') {
    return `the authority did not answer within ${TIMEOUT_MS} ms`;
  }
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
  return `the authority cannot be reached${code}`;
}

function unknown(cause: string, retryAfter: string | null = null): Introspected {
  const seconds = Number(retryAfter) || 1;
  const retryAfterSeconds = Math.min(Math.max(Math.ceil(seconds), 1), RETRY_AFTER_SECONDS_MAX);
  return { standing: 'unknown', cause, retryAfterSeconds };
}
