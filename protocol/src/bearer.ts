/**
 * What a resource server asks of a request and answers to it (RFC 6750): the second vocabulary of refusals, and its own
 * bridge to the wire. Knows nothing of how a token is verified.
 */

import { authorizationOf } from './authorization.ts';
import { bearerInQuery } from './query.ts';
import { isRefusal } from './refusal.ts';
import { allowedCharacters } from './wire.ts';

/** Why a request without a usable token can be told so before anyone looks at the token. */
export type PresentationReason =
  | 'no-token'
  | 'malformed-token'
  | 'two-authentications'
  | 'token-in-query';

export type BearerReason =
  | PresentationReason
  | 'token-in-form'
  | 'unknown-token'
  | 'revoked-token'
  | 'token-of-another-environment'
  | 'token-of-another-resource'
  | 'expired-token'
  | 'inactive-token'
  | 'address-not-allowed'
  | 'insufficient-scope'
  | 'throttled'
  | 'authority-unavailable';

export type BearerErrorCode =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'temporarily_unavailable';

export type BearerWire = {
  readonly status: number;
  /** Undefined for a request without a token: such a challenge carries no error (RFC 6750 §3.1). */
  readonly error: BearerErrorCode | undefined;
  readonly description: string;
  readonly headers: Readonly<Record<string, string>>;
};

export type BearerDetail = {
  /** Scope that the request needs, for `insufficient-scope`. */
  readonly scope?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Where to authenticate again, for `inactive-token`. */
  readonly tokenEndpoint?: string | undefined;
};

type Answer = {
  readonly status: number;
  readonly error: BearerErrorCode | undefined;
  readonly description: string;
};

const RETRY_AFTER_SECONDS_DEFAULT = 1;

/** One answer for all that may not be told apart (RFC 6750 §3.1): who guesses tokens learns nothing. */
const INVALID_TOKEN: Answer = {
  status: 401,
  error: 'invalid_token',
  description: 'The access token is not valid here. Get a new one from the token endpoint.',
};

const ANSWERS: { readonly [R in BearerReason]: Answer } = {
  'no-token': {
    status: 401,
    error: undefined,
    description: 'Send an access token: Authorization: Bearer, one space, the token.',
  },
  'malformed-token': INVALID_TOKEN,
  'unknown-token': INVALID_TOKEN,
  'revoked-token': INVALID_TOKEN,
  'token-of-another-environment': INVALID_TOKEN,
  'token-of-another-resource': INVALID_TOKEN,
  'address-not-allowed': INVALID_TOKEN,
  // Only who once held the token can learn this, and it tells them exactly what to do.
  'expired-token': {
    status: 401,
    error: 'invalid_token',
    description: 'The access token expired. Get a new one from the token endpoint.',
  },
  // What a resource server can say that asked by introspection, which tells nothing of a dead token (RFC 7662 §2.2).
  'inactive-token': {
    status: 401,
    error: 'invalid_token',
    description: 'The access token expired, was revoked or is not valid here; authenticate again',
  },
  'insufficient-scope': {
    status: 403,
    error: 'insufficient_scope',
    description: 'The access token lacks a scope that this request needs.',
  },
  'two-authentications': {
    status: 400,
    error: 'invalid_request',
    description: 'Send one access token, in one Authorization header and nowhere else.',
  },
  'token-in-query': {
    status: 400,
    error: 'invalid_request',
    description:
      'An access token must not stand in the URL, which ends up in logs. Consider this one exposed, get a new ' +
      'one, and send it in the Authorization header.',
  },
  'token-in-form': {
    status: 400,
    error: 'invalid_request',
    description: 'Send the access token in the Authorization header, not in the body.',
  },
  throttled: {
    status: 429,
    error: 'temporarily_unavailable',
    description: 'Too many requests. Wait as long as Retry-After says.',
  },
  'authority-unavailable': {
    status: 503,
    error: 'temporarily_unavailable',
    description:
      'The access token cannot be checked just now. Repeat the request after Retry-After.',
  },
};

/**
 * The access token of a request to a resource server, or why there is none. Other schemes count as no token (RFC 6750 §3.1);
 * a token in the URL refuses the request whatever else it carries (RFC 6750 §2, RFC 9700 §4.3.2).
 */
export function bearerToken(request: {
  /** Every Authorization header line. */
  readonly authorization: readonly string[];
  /** The raw query string without the question mark. */
  readonly query: string;
}): { readonly token: string } | { readonly reason: PresentationReason } {
  if (bearerInQuery(request.query) !== undefined) return { reason: 'token-in-query' };
  const authorization = authorizationOf(request.authorization);
  if (isRefusal(authorization)) return { reason: authorization.reason };
  return authorization.scheme === 'bearer'
    ? { token: authorization.token }
    : { reason: 'no-token' };
}

/** What a resource server answers, with its challenge (RFC 6750 §3). Nothing of the request stands in it. */
export function bearerRefusal(
  realm: string,
  reason: BearerReason,
  detail: BearerDetail = {},
): BearerWire {
  const { status, error, description: words } = ANSWERS[reason];
  const at =
    detail.tokenEndpoint === undefined ? '' : ` at ${allowedCharacters(detail.tokenEndpoint)}`;
  const description = reason === 'inactive-token' ? `${words}${at || '.'}` : words;
  if (error === 'temporarily_unavailable') {
    // An outage is no fault of the token, so there is no challenge.
    const seconds = Math.ceil(detail.retryAfterSeconds ?? 0) || RETRY_AFTER_SECONDS_DEFAULT;
    return { status, error, description, headers: { 'Retry-After': String(seconds) } };
  }
  let challenge = `Bearer realm="${allowedCharacters(realm)}"`;
  if (error !== undefined) challenge += `, error="${error}", error_description="${description}"`;
  if (reason === 'insufficient-scope' && detail.scope !== undefined) {
    challenge += `, scope="${allowedCharacters(detail.scope)}"`;
  }
  return { status, error, description, headers: { 'WWW-Authenticate': challenge } };
}
