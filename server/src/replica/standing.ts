/** Whether a token that opens is alive. Pure: the replica's counters, the token's claims and one reading of the clock. */

import { expiresAtSeconds } from '@countersign/protocol';
import type { TokenClaims } from '../credentials/access-token.ts';
import type { Replica } from './replica.ts';

/**
 * - 'live': accept it.
 * - 'expired', 'revoked', 'other-environment': refuse it, for good.
 * - 'ahead': the token knows more than the replica; catch up, then ask again. It is never a reason to refuse.
 */
export type Standing = 'live' | 'expired' | 'revoked' | 'ahead' | 'other-environment';

export function standingOf(
  token: { readonly jti: string; readonly claims: TokenClaims },
  at: { readonly environment: number; readonly nowMs: number },
  replica: Replica,
): Standing {
  const { claims, jti } = token;
  // By the same whole second that introspection publishes, so that every cache and every node agrees on the last moment.
  if (at.nowMs >= expiresAtSeconds(claims) * 1000) return 'expired';
  const environment = replica.environment(at.environment);
  if (environment === undefined || isAhead(claims, environment, replica)) return 'ahead';
  const { client } = claims;
  if (replica.clients.environment(client) !== at.environment) return 'other-environment';
  const generation = replica.generationOf(client);
  if (claims.generation > generation) return 'ahead';
  if (claims.generation < generation) return 'revoked';
  if (replica.isSecretKilled(claims.secret) || replica.isTokenRevoked(jti)) return 'revoked';
  // The generation says all of it already; the states are asked as well, should a bump ever be forgotten.
  if (replica.clients.state(client) === 'deleted') return 'revoked';
  // A suspension raises the generation, so a token of this very one was issued after a reactivation not yet heard of.
  return isSuspended(client, replica) ? 'ahead' : 'live';
}

function isSuspended(client: number, { clients, program }: Replica): boolean {
  return (
    clients.state(client) === 'suspended' || program(clients.program(client))?.suspended !== false
  );
}

function isAhead(
  claims: TokenClaims,
  environment: NonNullable<ReturnType<Replica['environment']>>,
  replica: Replica,
): boolean {
  return (
    !replica.clients.has(claims.client) ||
    claims.secret > replica.lastSecret ||
    !environment.scopeSets.has(claims.scopeSet) ||
    (claims.resource !== 0 && !environment.resources.has(claims.resource))
  );
}
