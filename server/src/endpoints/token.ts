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
 * | quota   | as many tokens this hour as the client may get             | 429 temporarily_unavailable          |
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
import { answering, type Decision, isRefused, type Refused } from './answering.ts';
import {
  type Authenticated,
  authenticate,
  clientOf,
  refusedOf,
  refuseThrottled,
} from './authenticate.ts';
import { type Authority, environmentOf } from './context.ts';
import type { Answer, Incoming } from './exchange.ts';
import { readForm } from './form.ts';
import { HOUR_MS } from './quotas.ts';

/** A decision that moves under us this often is an outage, not an answer. */
const DECISIONS_MAX = 3;
const NONCE_BYTES = 12;

type Grant = Authenticated & {
  readonly scope: string;
  readonly resource: number;
};

/** The handler of one environment's token endpoint. */
export function tokenEndpoint(
  authority: Authority,
  environment: { readonly ordinal: number; readonly name: string },
): (incoming: Incoming) => Answer | Promise<Answer> {
  return answering(authority, { endpoint: 'token', environment }, (incoming) =>
    issue(authority, environment.ordinal, incoming),
  );
}

async function issue(authority: Authority, ordinal: number, incoming: Incoming): Promise<Decision> {
  const form = readForm(authority, incoming);
  if (isRefusal(form)) return form;
  const request = parseTokenRequest(form);
  if (isRefusal(request)) return request;

  const { address } = incoming;
  const throttled = refuseThrottled(authority, ordinal, { clientId: request.clientId, address });
  if (throttled !== undefined) return throttled;

  for (let decisions = 0; decisions < DECISIONS_MAX; decisions += 1) {
    const found = clientOf(authority, request.clientId);
    const client = found instanceof Promise ? await found : found;
    const nowMs = authority.clock.wallMs();
    const environment = environmentOf(authority, ordinal);
    const grant = decide(authority, environment, { client, request, address, nowMs });
    if (isRefused(grant)) return grant;
    const scopeSet = environment.scopeSetIds.get(grant.scope);
    if (scopeSet === undefined) {
      const refusal = await internScopeSet(authority, ordinal, grant);
      if (refusal !== undefined) return refusedOf(grant, refusal);
      continue;
    }

    const claims: TokenClaims = {
      client: grant.client.ordinal,
      generation: authority.replica.generationOf(grant.client.ordinal),
      secret: grant.secret.ordinal,
      issuedAtMs: nowMs,
      lifetimeSeconds: grant.client.tokenLifetimeSeconds,
      scopeSet,
      resource: grant.resource,
    };
    const nonce = authority.randomness.bytes(NONCE_BYTES);
    const accessToken = sealToken(authority.keyRing.sealingKey(ordinal).key, nonce, claims);
    await authority.journal.append({ ...claims, jti: nonce, address });

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
  }
  return refuse('overloaded');
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
): Grant | Refused {
  const { client, request, address, nowMs } = attempt;
  const presented = { client, presented: request, address, nowMs };
  const authenticated = authenticate(authority, environment, presented);
  if (isRefused(authenticated)) return authenticated;
  const scope = grantScope(request.scope, authenticated.client.scope);
  if (isRefusal(scope)) return refusedOf(authenticated, scope);
  const resource = chooseResource(
    request.resources,
    authenticated.client.resources.map((number) => ({
      number,
      uri: environment.resources.get(number) ?? '',
    })),
  );
  if (isRefusal(resource)) return refusedOf(authenticated, resource);
  // Last of all, so that only what would be granted counts.
  const overdrawn = refuseOverdrawn(authority, authenticated.client, nowMs);
  if (overdrawn !== undefined) return refusedOf(authenticated, overdrawn);
  return { ...authenticated, scope: scope.canonical, resource };
}

function refuseOverdrawn(
  { quotas }: Authority,
  { ordinal, tokenQuota, tokenLifetimeSeconds }: ClientCredentials,
  nowMs: number,
): Refusal | undefined {
  if (tokenQuota === undefined || quotas.take(ordinal, tokenQuota, nowMs) === 'within') {
    return undefined;
  }
  const retryAfterSeconds = (HOUR_MS - (nowMs % HOUR_MS)) / 1000;
  return refuse('quota-reached', { retryAfterSeconds, tokenLifetimeSeconds });
}

/** Gives a scope combination that nobody asked for before its number, as a change of its own; then all is decided anew. */
async function internScopeSet(
  authority: Authority,
  environment: number,
  grant: Grant,
): Promise<Refusal | undefined> {
  const { client, scope } = grant;
  try {
    await authority.changes.commit({
      change: { kind: 'scope-set.intern', environment, client: client.ordinal, scope },
      actor: `client:${client.clientId}`,
      atMs: authority.clock.wallMs(),
    });
  } catch (error) {
    if (error instanceof ChangeRefused) return refuse('scope-too-many-combinations');
    throw error;
  }
  await authority.follower.catchUp();
  return undefined;
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
