/**
 * POST /introspect (RFC 7662): tells a resource server whether a token of its environment is alive, and a client the same of its
 * own tokens. Whatever the caller may not know of looks like a token that does not exist.
 */

import {
  INACTIVE,
  introspectionAnswer,
  isRefusal,
  NO_RESOURCE,
  type Refusal,
  refuse,
} from '@countersign/protocol';
import type { TokenClaims } from '../credentials/access-token.ts';
import type { ClientCredentials } from '../ports/model.ts';
import { positionText } from '../replica/subscriptions.ts';
import { refuseElsewhere } from './address-check.ts';
import { answering, type Decision, isRefused, type Refused } from './answering.ts';
import { refusedOf } from './authenticate.ts';
import { type Caller, callerOf } from './caller.ts';
import { canonicalAddress } from './canonical-address.ts';
import { type Authority, environmentOf } from './context.ts';
import type { Answer, Incoming } from './exchange.ts';
import { type Verified, verifyToken } from './verify-token.ts';
import { whenKnown } from './when-known.ts';

const INACTIVE_ANSWER: Answer = { status: 200, body: INACTIVE };

/** The handler of one environment's introspection endpoint. */
export function introspectEndpoint(
  authority: Authority,
  environment: { readonly ordinal: number; readonly name: string },
): (incoming: Incoming) => Answer | Promise<Answer> {
  return answering(authority, { endpoint: 'introspect', environment }, (incoming) =>
    introspect(authority, environment.ordinal, incoming),
  );
}

function introspect(
  authority: Authority,
  ordinal: number,
  incoming: Incoming,
): Decision | Promise<Decision> {
  return whenKnown(callerOf(authority, ordinal, incoming), (caller) => {
    if (isRefused(caller)) return caller;
    const { token, clientIp } = caller.query;
    const from = clientIp === undefined ? undefined : canonicalAddress(clientIp);
    if (clientIp !== undefined && from === undefined) {
      return refusedOf(caller, refuse('client-ip-malformed'));
    }
    return judged(authority, ordinal, { caller, token, from });
  });
}

type Question = {
  readonly caller: Caller;
  readonly token: string;
  /** Who presented the token, where the caller says so. */
  readonly from: string | undefined;
};

function judged(
  authority: Authority,
  ordinal: number,
  question: Question,
): Decision | Promise<Decision> {
  return whenKnown(verifyToken(authority, ordinal, question.token), (verified) => {
    if (isRefusal(verified)) return refusedOf(question.caller, verified);
    if (verified.standing !== 'live') return INACTIVE_ANSWER;
    const { client } = verified.claims;
    const live = (): Decision => tell(authority, ordinal, { ...question, verified });
    if (client === question.caller.client.ordinal) return live();
    const elsewhere = refuseElsewhere(authority, client, question.from);
    if (elsewhere === undefined) return live();
    if (!(elsewhere instanceof Promise)) return inactiveBecause(authority, client, elsewhere);
    return elsewhere.then((refusal) =>
      refusal === undefined
        ? judged(authority, ordinal, question)
        : refusedOf(question.caller, refusal),
    );
  });
}

/** The token is as good as dead where its client may not be; the log says why. */
function inactiveBecause({ replica }: Authority, ordinal: number, refusal: Refusal): Refused {
  const client = { ordinal, clientId: replica.clients.clientId(ordinal) };
  return { refusal, client, answer: INACTIVE_ANSWER };
}

function tell(
  authority: Authority,
  ordinal: number,
  asked: Question & { readonly verified: Verified & { readonly standing: 'live' } },
): Decision {
  const { caller, verified } = asked;
  const { claims, jti } = verified;
  authority.recordChecks.verified(verified);
  if (!maySee(caller.client, claims)) return INACTIVE_ANSWER;

  const { clients, program } = authority.replica;
  const environment = environmentOf(authority, ordinal);
  return {
    status: 200,
    // What the answer stands on, for a verifier that follows the changes after it.
    headers: { 'X-Change-Position': positionText(authority.replica.position) },
    body: introspectionAnswer({
      issuer: environment.issuer,
      clientId: clients.clientId(claims.client),
      programId: program(clients.program(claims.client))?.programId ?? '',
      scope: environment.scopeSets.get(claims.scopeSet) ?? '',
      audience: environment.resources.get(claims.resource) ?? environment.issuer,
      issuedAtMs: claims.issuedAtMs,
      lifetimeSeconds: claims.lifetimeSeconds,
      jti,
    }),
  };
}

/** RFC 7662 §4: a caller learns of tokens that are meant for it, or its own. Without resources of its own a server sees all. */
export function maySee(caller: ClientCredentials, claims: TokenClaims): boolean {
  if (caller.ordinal === claims.client) return true;
  if (!caller.resourceServer) return false;
  if (caller.resources.length === 0) return true;
  return claims.resource !== NO_RESOURCE && caller.resources.includes(claims.resource);
}
