/**
 * Decides whose request this is, or what to answer (RFC 6750): the token from the one place where it may stand, its standing from
 * the authority, its scope against what the call needs. What cannot be checked is 503, never a bad token, and never let through.
 */

import {
  type BearerDetail,
  type BearerReason,
  type BearerWire,
  bearerRefusal,
  bearerToken,
} from '@countersign/protocol';
import type { Identity } from './identity.ts';
import { type Introspected, newIntrospect, type Question } from './introspection.ts';
import { type Outage, outage } from './outage.ts';
import { newRemembered } from './remembered.ts';
import { newRemembering } from './remembering.ts';
import { followRevocations, type RevocationStream } from './revocation-stream.ts';
import { requireSafeIssuer } from './safe-url.ts';
import { newSecrets, type SecretSource } from './secret-source.ts';

export type VerifierOptions = {
  /** The environment's issuer: `https://auth.bank.example/production`. */
  readonly issuer: string | URL;
  /** This service's own credentials: a client made with `--resource-server`. */
  readonly clientId: string;
  readonly clientSecret: SecretSource;
  /** URI of the resource that this service is: tokens for others are refused. Left out: whatever the client may see. */
  readonly resource?: string;
  /** Names this service in challenges (default: the issuer). */
  readonly realm?: string;
  /** How long a check may take, in milliseconds (default 2,000); beyond, the answer is 503. */
  readonly timeoutMs?: number;
  /** Told each time that a token could not be checked, for your log: the caller learns no more than 503. */
  readonly onOutage: (outage: Outage) => void;
  /**
   * Follows the authority's revocations and asks about a token once, not at each request. Costs a connection, and `close()` when
   * the service ends.
   */
  readonly revocations?: boolean;
  /** Another `fetch`, such as one with a proxy. */
  readonly fetch?: typeof globalThis.fetch;
};

/** The authority in the same process, as `openAuthority` of `countersign/in-process` opens it. */
export type InProcessAuthority = {
  readonly issuer: string;
  /** At once where it can. It neither throws nor rejects. */
  readonly introspect: (question: Question) => Introspected | Promise<Introspected>;
};

/** Instead of an issuer and credentials. Whoever opened the authority closes it. */
export type InProcessVerifierOptions = Pick<
  VerifierOptions,
  'resource' | 'realm' | 'timeoutMs' | 'onOutage'
> & { readonly authority: InProcessAuthority };

/** What a call needs beside a live token. */
export type Needs = {
  /** Scopes, parted by spaces; all of them are needed. */
  readonly scope?: string;
};

/** What a request shows, for whoever has no fetch-style `Request`. */
export type Presented = {
  /** Every Authorization header line, not the first alone: two are refused, never chosen from. */
  readonly authorization: readonly string[];
  /** The raw query string without the question mark: a token there refuses the request. */
  readonly query: string;
  /** Address of the caller, for clients whose tokens are good from their own addresses only. */
  readonly clientIp?: string | undefined;
};

export type Refused = {
  readonly ok: false;
  readonly reason: BearerReason;
  /** Status, headers and words of the answer. */
  readonly wire: BearerWire;
};
export type Verdict = { readonly ok: true; readonly identity: Identity } | Refused;

export type Verifier = {
  /**
   * Who makes a request, or the answer to give. It reads headers and URL alone, never the body. A fetch-style `Request` does not know
   * the caller's address: say it, or clients that are held to their addresses are refused.
   */
  readonly verify: (
    request: Request,
    needs?: Needs & { readonly clientIp?: string | undefined },
  ) => Promise<
    { readonly ok: true; readonly identity: Identity } | (Refused & { readonly response: Response })
  >;
  /** The same without a `Request` and a `Response`. */
  readonly check: (presented: Presented, needs?: Needs) => Promise<Verdict>;
  /** Ends the stream of revocations, where there is one: a process would not end by itself. Tokens are still checked. Closes no authority in this process. */
  readonly close: () => void;
};

const TIMEOUT_MS = 2_000;
/** Checks under way at once; beyond, the answer is 503 at once. */
const CHECKS_MAX = 1_000;

/** A verifier of the tokens of one environment. Nothing is asked before the first request. */
export function createVerifier(options: VerifierOptions | InProcessVerifierOptions): Verifier {
  const { issuer, ask, close } = 'authority' in options ? inProcess(options) : overHttp(options);
  const { resource, realm = issuer, onOutage } = options;
  const refuse = (reason: BearerReason, detail: BearerDetail = {}): Refused => {
    const wire = bearerRefusal(realm, shown(reason), {
      ...detail,
      tokenEndpoint: `${issuer}/token`,
    });
    return { ok: false, reason, wire };
  };
  const refuseOutage = (cause: Outage): Refused => {
    onOutage(cause);
    return refuse('authority-unavailable', { retryAfterSeconds: cause.retryAfterSeconds });
  };
  let underWay = 0;

  const check = async (presented: Presented, needs: Needs = {}): Promise<Verdict> => {
    const found = bearerToken(presented);
    if ('reason' in found) return refuse(found.reason);
    if (underWay >= CHECKS_MAX) return refuseOutage(outage('overloaded', TOO_MANY));
    underWay += 1;
    const asked = ask({ token: found.token, clientIp: presented.clientIp });
    // A promise that waits for nothing costs as much as the answer of an authority in this process.
    const introspected = asked instanceof Promise ? await asked : asked;
    underWay -= 1;
    if (introspected.standing === 'unknown') return refuseOutage(introspected.outage);
    if (introspected.standing === 'inactive') return refuse('inactive-token');
    const { identity } = introspected;
    if (resource !== undefined && identity.audience !== resource) {
      return refuse('token-of-another-resource');
    }
    const { scope = '' } = needs;
    const missing = scope.split(' ').some((name) => name !== '' && !identity.scope.has(name));
    if (missing) return refuse('insufficient-scope', { scope });
    return { ok: true, identity };
  };

  return {
    check,
    close,
    verify: async (request, needs = {}) => {
      const verdict = await check({ ...presentedBy(request), clientIp: needs.clientIp }, needs);
      return verdict.ok ? verdict : { ...verdict, response: responseOf(verdict.wire) };
    },
  };
}

/** Where answers come from. */
type Source = {
  readonly issuer: string;
  readonly ask: InProcessAuthority['introspect'];
  readonly close: () => void;
};

function inProcess({ authority, timeoutMs = TIMEOUT_MS }: InProcessVerifierOptions): Source {
  return {
    issuer: authority.issuer,
    ask: (question) => {
      const asked = authority.introspect(question);
      return asked instanceof Promise ? within(timeoutMs, asked) : asked;
    },
    close: () => {},
  };
}

/** The answer, or after a time that there is none. */
function within(timeoutMs: number, asked: Promise<Introspected>): Promise<Introspected> {
  return new Promise((resolve) => {
    const late = (): void =>
      resolve({ standing: 'unknown', outage: outage('unreachable', TOO_LATE) });
    const timer = setTimeout(late, timeoutMs);
    void asked.then(resolve, late).finally(() => clearTimeout(timer));
  });
}

const TOO_LATE = 'the store did not answer in time';

function overHttp(options: VerifierOptions): Source {
  const { clientId, clientSecret, onOutage } = options;
  const issuer = requireSafeIssuer(options.issuer);
  const nowMs = (): number => performance.now();
  const asked = { issuer, clientId, fetch: options.fetch ?? globalThis.fetch };
  const introspect = newIntrospect({
    ...asked,
    secrets: newSecrets(clientSecret, nowMs),
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  });
  let isClosed = false;
  let stream: RevocationStream | undefined;
  const remembered = newRemembered();
  const remembering = newRemembering({
    ...{ introspect, remembered, nowMs },
    stream: {
      mayDecide: () => stream?.mayDecide() ?? false,
      position: () => stream?.position(),
    },
  });
  /** Begun with the first request, so that a service that only loads this connects nowhere. */
  const follow = (): void => {
    if (options.revocations !== true || isClosed) return;
    stream ??= followRevocations({
      ...asked,
      secrets: newSecrets(clientSecret, nowMs),
      now: () => ({ monotonicMs: nowMs(), wallMs: Date.now() }),
      random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
      forget: remembered.forget,
      onTrouble: (message) => onOutage(outage('stream-lost', message)),
    });
  };
  return {
    issuer,
    ask: (question) => {
      follow();
      return remembering(question);
    },
    close: () => {
      isClosed = true;
      stream?.close();
      remembered.forget({ all: true });
    },
  };
}

const TOO_MANY = `${CHECKS_MAX} checks are under way already`;

/** RFC 7662 §2.2 tells nothing of a token that is not active, and what is told apart here must not be there. */
function shown(reason: BearerReason): BearerReason {
  const isAlike = reason === 'malformed-token' || reason === 'token-of-another-resource';
  return isAlike ? 'inactive-token' : reason;
}

/** Where `Headers` joined two lines into one: a comma and a space, then another scheme and its space. */
const JOINED = /, (?=[!#$%&'*+.^_`|~0-9A-Za-z-]+ )/;

function presentedBy(request: Request): Presented {
  const joined = request.headers.get('Authorization');
  return {
    authorization: joined === null ? [] : joined.split(JOINED),
    query: new URL(request.url).search.slice(1),
  };
}

/** The answer as it goes out: JSON, never kept by a cache. */
function responseOf(wire: BearerWire): Response {
  return new Response(bodyOf(wire), {
    status: wire.status,
    headers: { ...wire.headers, ...ANSWER_HEADERS },
  });
}

export const ANSWER_HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** RFC 6750 §3.1: a request without a token is told no error code. */
export function bodyOf({ error, description }: BearerWire): string {
  return JSON.stringify({ error, error_description: description });
}
