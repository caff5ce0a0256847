/**
 * ANY /verify: forward authentication for gateways. 200 with who calls in its headers, or the refusal of RFC 6750, to pass on as it is.
 * What a call needs stands in the query, which the gateway's configuration writes and no caller can reach.
 *
 * | step    | refused because                                          | on the wire                     |
 * |---------|----------------------------------------------------------|---------------------------------|
 * | gateway | neither a declared address nor a resource server's secret| 403, nothing about the token    |
 * |         | too many wrong secrets from its address                  | 429 with Retry-After            |
 * | asks    | an unknown or repeated parameter, no scope at all        | 400 invalid_request             |
 * | token   | none, two, malformed, in the URL of the call             | 401, 400                        |
 * | stands  | unknown, expired, revoked, elsewhere, another resource   | 401 invalid_token               |
 * | scope   | a scope is missing                                       | 403 insufficient_scope          |
 * | outage  | this node cannot tell                                    | 503 with Retry-After            |
 *
 * 401 and a challenge are always about the caller's token. `mode=nginx` has other statuses: see below.
 */

import {
  type BearerReason,
  bearerInQuery,
  bearerRefusal,
  bearerToken,
  errorBody,
  isRefusal,
  type PresentationReason,
  type Refusal,
  refuse,
  wireOf,
} from '@countersign/protocol';
import type { ClientCredentials } from '../ports/model.ts';
import { refuseElsewhere } from './address-check.ts';
import { answering, type Decision, isRefused, type Refused } from './answering.ts';
import { canonicalAddress } from './canonical-address.ts';
import { type Authority, environmentOf } from './context.ts';
import { type Answer, headerOf, headerValues, type Incoming } from './exchange.ts';
import { reportExposure } from './exposures.ts';
import { gatewayOf } from './gateway.ts';
import { asksForNginx, newParameters, type Parameters } from './gateway-query.ts';
import { maySee } from './introspect.ts';
import { type Verified, verifyToken } from './verify-token.ts';
import { whenKnown } from './when-known.ts';

const NOT_PRESENTED: { readonly [R in PresentationReason]: Refusal } = {
  'no-token': refuse('no-token'),
  'malformed-token': refuse('malformed-token'),
  'two-authentications': refuse('two-authentications'),
  'token-in-query': refuse('token-in-query'),
};
const DEAD = { expired: refuse('expired-token'), revoked: refuse('revoked-token') };

type Live = Verified & { readonly standing: 'live' };
type Refuse = (refusal: Refusal, client?: number) => Refused;

/** What the gateway wants to know of a call. */
type Question = Parameters & {
  readonly token: string;
  /** Who makes the call, as the gateway says. */
  readonly from: string | undefined;
  /** A resource server with resources of its own sees tokens for these alone. */
  readonly gateway: ClientCredentials | undefined;
};

/** The handler of one environment's endpoint for gateways. */
export function verifyEndpoint(
  authority: Authority,
  environment: { readonly ordinal: number; readonly name: string },
  isGateway: (address: string) => boolean,
): (incoming: Incoming) => Answer | Promise<Answer> {
  const parametersOf = newParameters();
  return answering(authority, { endpoint: 'verify', environment }, (incoming) =>
    whenKnown(gatewayOf(authority, environment.ordinal, { incoming, isGateway }), (gateway) => {
      if (gateway !== undefined && isRefused(gateway)) return refusedGateway(gateway, incoming);
      const parameters = parametersOf(incoming.query);
      if (isRefusal(parameters)) return refusedGateway({ refusal: parameters }, incoming);
      return verify(authority, environment.ordinal, { incoming, gateway, parameters });
    }),
  );
}

function verify(
  authority: Authority,
  ordinal: number,
  asked: {
    readonly incoming: Incoming;
    readonly gateway: ClientCredentials | undefined;
    readonly parameters: Parameters;
  },
): Decision | Promise<Decision> {
  const { incoming, gateway, parameters } = asked;
  const refuses: Refuse = (refusal, client) =>
    refusedCall(authority, ordinal, {
      ...{ refusal, client, scopes: parameters.scopes },
      isForNginx: asksForNginx(incoming),
    });

  const query = exposingQuery(incoming);
  const exposed = bearerInQuery(query);
  if (exposed !== undefined) {
    reportExposure(authority, { clientId: undefined, secret: undefined, token: exposed });
  }
  const presented = bearerToken({ authorization: incoming.authorization, query });
  if ('reason' in presented) return refuses(NOT_PRESENTED[presented.reason]);
  const from = headerOf(incoming, 'x-real-ip');
  const question = {
    token: presented.token,
    scopes: parameters.scopes,
    resource: parameters.resource,
    from: from === undefined ? undefined : canonicalAddress(from),
    gateway,
  };
  return judged(authority, ordinal, { question, refuses });
}

/**
 * The query of the call itself, as the gateway passes its URL on: what stands there is in somebody's log. A gateway that tells it in one
 * header may let the caller's own other one through, so that a token in any of them counts.
 */
function exposingQuery(incoming: Incoming): string {
  for (const name of URL_HEADERS) {
    for (const url of headerValues(incoming, name)) {
      const mark = url.indexOf('?');
      const query = mark === -1 ? '' : url.slice(mark + 1);
      if (bearerInQuery(query) !== undefined) return query;
    }
  }
  return '';
}

const URL_HEADERS = ['x-original-uri', 'x-forwarded-uri'] as const;

function judged(
  authority: Authority,
  ordinal: number,
  { question, refuses }: { readonly question: Question; readonly refuses: Refuse },
): Decision | Promise<Decision> {
  return whenKnown(verifyToken(authority, ordinal, question.token), (verified) => {
    if (isRefusal(verified)) return refuses(verified);
    if (verified.standing === 'unknown') return refuses(refuse('unknown-token'));
    const { client } = verified.claims;
    if (verified.standing !== 'live') return refuses(DEAD[verified.standing], client);
    const refusal = refuseUse(authority, ordinal, { question, verified });
    if (refusal !== undefined) return refuses(refusal, client);
    const elsewhere = refuseElsewhere(authority, client, question.from);
    if (elsewhere === undefined) return identity(authority, ordinal, verified);
    if (!(elsewhere instanceof Promise)) return refuses(elsewhere, client);
    return elsewhere.then((missing) =>
      missing === undefined
        ? judged(authority, ordinal, { question, refuses })
        : refuses(missing, client),
    );
  });
}

/** Whether a live token is for this API, and allows what the call needs. */
function refuseUse(
  authority: Authority,
  ordinal: number,
  { question, verified }: { readonly question: Question; readonly verified: Live },
): Refusal | undefined {
  const { claims } = verified;
  const environment = environmentOf(authority, ordinal);
  const { gateway, resource } = question;
  const isForGateway = gateway === undefined || maySee(gateway, claims);
  const audience = environment.resources.get(claims.resource) ?? environment.issuer;
  if (!isForGateway || (resource !== undefined && resource !== audience)) {
    return refuse('token-of-another-resource');
  }
  if (question.scopes.length === 0) return undefined;
  const granted = (environment.scopeSets.get(claims.scopeSet) ?? '').split(' ');
  return question.scopes.every((scope) => granted.includes(scope))
    ? undefined
    : refuse('insufficient-scope');
}

/** Who calls. Names and values are ours alone: what a caller sends under these names never gets here, nor past the gateway. */
function identity(authority: Authority, ordinal: number, verified: Live): Answer {
  const { claims, jti } = verified;
  authority.recordChecks.verified(verified);
  const { clients, program } = authority.replica;
  const environment = environmentOf(authority, ordinal);
  return {
    status: 200,
    headers: {
      'X-Client-Id': clients.clientId(claims.client),
      'X-Program-Id': program(clients.program(claims.client))?.programId ?? '',
      'X-Token-Scope': environment.scopeSets.get(claims.scopeSet) ?? '',
      'X-Token-Id': jti,
      'X-Token-Expires': String(Math.floor(claims.issuedAtMs / 1000) + claims.lifetimeSeconds),
    },
    body: '',
  };
}

/** nginx's auth_request passes on 401 and 403 and turns all else into 500, so that it gets the nearest of these, with the detail in headers. */
const FOR_NGINX: Readonly<Record<number, number>> = { 400: 401, 429: 403 };

/** What is wrong with the gateway says nothing of the caller's token: never 401, and no challenge that would have it thrown away. */
function refusedGateway(refused: Refused, incoming: Incoming): Refused {
  const told = wireOf(refused.refusal);
  const isOther = told.status === 401 || (told.status < 500 && asksForNginx(incoming));
  const retryAfter = told.headers['Retry-After'];
  return {
    ...refused,
    wire: {
      status: isOther ? 403 : told.status,
      headers: retryAfter === undefined ? {} : { 'Retry-After': retryAfter },
      body: errorBody(told),
    },
  };
}

function refusedCall(
  authority: Authority,
  ordinal: number,
  of: Pick<Parameters, 'scopes'> & {
    readonly refusal: Refusal;
    readonly client: number | undefined;
    readonly isForNginx: boolean;
  },
): Refused {
  const { refusal, client, scopes, isForNginx } = of;
  const { issuer } = environmentOf(authority, ordinal);
  const { clients } = authority.replica;
  const party =
    client === undefined ? {} : { client: { ordinal: client, clientId: clients.clientId(client) } };
  const wire = bearerRefusal(issuer, bearerReasonOf(refusal), { scope: scopes.join(' ') });
  const { status, headers, error = 'invalid_token', description } = wire;
  return {
    refusal,
    ...party,
    wire: {
      status: isForNginx ? (FOR_NGINX[status] ?? status) : status,
      headers,
      body: JSON.stringify({ error, error_description: description }),
    },
  };
}

function bearerReasonOf({ reason }: Refusal): BearerReason {
  switch (reason) {
    case 'no-token':
    case 'malformed-token':
    case 'two-authentications':
    case 'token-in-query':
    case 'unknown-token':
    case 'revoked-token':
    case 'expired-token':
    case 'token-of-another-resource':
    case 'insufficient-scope':
    case 'address-not-allowed':
      return reason;
    case 'address-unknown':
      return 'address-not-allowed';
    default:
      // Whatever else there is, it is no fault of the token.
      return 'authority-unavailable';
  }
}
