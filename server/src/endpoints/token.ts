/**
 * POST /token: the client credentials grant (RFC 6749 §4.4), from the form to a token that is on record.
 *
 * | step    | refused because                                            | on the wire                          |
 * |---------|------------------------------------------------------------|--------------------------------------|
 * | form    | not a form, repeated, missing, in the URL, in a header     | 400, 401, 415                        |
 * | admit   | too many failures from this address                        | 429 temporarily_unavailable          |
 * | client  | another environment's, unknown, suspended, deleted         | 401 invalid_client                   |
 * | secret  | wrong, expired, revoked, from an address not allowed       | 401 invalid_client                   |
 * | grant   | scope or resource not the client's                         | 400 invalid_scope, invalid_target    |
 * | journal | the issuance cannot be put on record                       | 503 temporarily_unavailable          |
 * | stands  | lease or generation moved while the journal wrote          | decided anew, or 503                 |
 */

import {
  chooseResource,
  grantScope,
  isRefusal,
  parseTokenRequest,
  type Refusal,
  refuse,
  type TokenRequest,
  tokenAnswer,
} from '@countersign/protocol';
import { sealToken, type TokenClaims } from '../credentials/access-token.ts';
import type { ClientCredentials } from '../ports/model.ts';
import { ChangeRefused } from '../ports/store.ts';
import type { EnvironmentState } from '../replica/replica.ts';
import { standingOf } from '../replica/standing.ts';
import { answering, type Refused } from './answering.ts';
import { authenticate, clientOf } from './authenticate.ts';
import { type Authority, environmentOf } from './context.ts';
import type { Answer, Incoming } from './exchange.ts';
import { readForm } from './form.ts';

/** A decision that moves under us this often is an outage, not an answer. */
const DECISIONS_MAX = 3;
const NONCE_BYTES = 12;

type Grant = {
  readonly client: ClientCredentials;
  readonly secret: number;
  readonly scope: string;
  readonly resource: number;
};

/** The handler of one environment's token endpoint. */
export function tokenEndpoint(
  authority: Authority,
  environment: { readonly ordinal: number; readonly name: string },
): (incoming: Incoming) => Answer | Promise<Answer> {
  const where = { endpoint: 'token', environment: environment.name };
  return answering(where, authority.log, (incoming) =>
    issue(authority, environment.ordinal, incoming),
  );
}

async function issue(
  authority: Authority,
  ordinal: number,
  incoming: Incoming,
): Promise<Answer | Refusal | Refused> {
  const form = readForm(authority, ordinal, incoming);
  if (isRefusal(form)) return form;
  const request = parseTokenRequest(form);
  if (isRefusal(request)) return request;

  const caller = { clientId: request.clientId, address: incoming.address };
  const throttled = admit(authority, ordinal, caller);
  if (throttled !== undefined) return throttled;
  const found = clientOf(authority, request.clientId);
  let client = found instanceof Promise ? await found : found;

  for (let decisions = 0; decisions < DECISIONS_MAX; decisions += 1) {
    const nowMs = authority.clock.wallMs();
    const grant = decide(authority, environmentOf(authority, ordinal), {
      client,
      request,
      address: incoming.address,
      nowMs,
    });
    if (isRefusal(grant)) return { refusal: grant, client: client?.clientId };
    const known = environmentOf(authority, ordinal).scopeSetIds.get(grant.scope);
    const scopeSet = known ?? (await internScopeSet(authority, ordinal, grant));
    if (typeof scopeSet !== 'number') return { refusal: scopeSet, client: grant.client.clientId };

    const claims: TokenClaims = {
      client: grant.client.ordinal,
      generation: authority.replica.generationOf(grant.client.ordinal),
      secret: grant.secret,
      issuedAtMs: nowMs,
      lifetimeSeconds: grant.client.tokenLifetimeSeconds,
      scopeSet,
      resource: grant.resource,
    };
    const nonce = authority.randomness.bytes(NONCE_BYTES);
    const accessToken = sealToken(authority.keyRing.sealingKey(ordinal).key, nonce, claims);
    await authority.journal.append({ ...claims, jti: nonce, address: incoming.address });

    if (stillStands(authority, ordinal, { nonce, claims })) {
      return {
        status: 200,
        body: tokenAnswer({
          accessToken,
          expiresInSeconds: claims.lifetimeSeconds,
          scope: grant.scope,
        }),
      };
    }
    client = await clientOf(authority, request.clientId);
  }
  return { refusal: refuse('overloaded'), client: client?.clientId };
}

function admit(
  authority: Authority,
  environment: number,
  caller: { readonly clientId: string; readonly address: string },
): Refused | undefined {
  const waitMs = authority.admission.waitMs({
    client: authority.replica.clients.find(caller.clientId),
    environment,
    address: caller.address,
    nowMs: authority.clock.monotonicMs(),
  });
  if (waitMs === 0) return undefined;
  return { refusal: refuse('throttled', { retryAfterSeconds: waitMs / 1000 }) };
}

/** Everything that can be decided without waiting, in one synchronous step with the lease. */
function decide(
  authority: Authority,
  environment: EnvironmentState,
  attempt: {
    readonly client: ClientCredentials | undefined;
    readonly request: TokenRequest;
    readonly address: string;
    readonly nowMs: number;
  },
): Grant | Refusal {
  if (!authority.follower.mayDecide()) return refuse('lease-lost');
  const { client, request, address, nowMs } = attempt;
  const authenticated = authenticate(authority, environment, {
    client,
    presented: request,
    address,
    nowMs,
  });
  if (isRefusal(authenticated)) {
    if (authenticated.reason === 'wrong-secret' || authenticated.reason === 'unknown-client') {
      authority.admission.failed({
        client: client?.ordinal,
        environment: environment.ordinal,
        address,
        nowMs: authority.clock.monotonicMs(),
      });
    }
    return authenticated;
  }
  const scope = grantScope(request.scope, authenticated.client.scope);
  if (isRefusal(scope)) return scope;
  const resource = chooseResource(
    request.resources,
    authenticated.client.resources.map((number) => ({
      number,
      uri: environment.resources.get(number) ?? '',
    })),
  );
  if (isRefusal(resource)) return resource;
  return {
    client: authenticated.client,
    secret: authenticated.secret.ordinal,
    scope: scope.canonical,
    resource,
  };
}

/** Gives a scope combination that nobody asked for before its number, as a change of its own. */
async function internScopeSet(
  authority: Authority,
  environment: number,
  grant: Grant,
): Promise<number | Refusal> {
  try {
    await authority.changes.commit({
      change: {
        kind: 'scope-set.intern',
        environment,
        client: grant.client.ordinal,
        scope: grant.scope,
      },
      actor: `client:${grant.client.clientId}`,
      atMs: authority.clock.wallMs(),
    });
  } catch (error) {
    if (error instanceof ChangeRefused) return refuse('scope-too-many-combinations');
    throw error;
  }
  await authority.follower.catchUp();
  const interned = authority.replica.environment(environment)?.scopeSetIds.get(grant.scope);
  return interned ?? refuse('store-unavailable');
}

/** Whether what was decided before the journal's commit still holds after it: no token leaves that is dead already. */
function stillStands(
  authority: Authority,
  environment: number,
  issued: { readonly nonce: Buffer; readonly claims: TokenClaims },
): boolean {
  const { nonce, claims } = issued;
  const token = { jti: nonce.toString('base64url'), claims };
  const at = { environment, nowMs: claims.issuedAtMs };
  return authority.follower.mayDecide() && standingOf(token, at, authority.replica) === 'live';
}
