/** Kills one access token, whoever holds it. */

import { ChangeRefused } from '../ports/store.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { currentReplica, judgeToken } from './open-token.ts';

export type RevokedToken = Done & { readonly jti: string; readonly clientId: string };

/** Revokes a token. Throws `ChangeRefused` for one that is not ours, or that has ended by itself. */
export async function revokeToken(
  context: OperationContext,
  input: { readonly token: string },
): Promise<RevokedToken> {
  const replica = await currentReplica(context);
  const token = judgeToken(context, replica, input.token);
  if (token.standing === 'unknown') {
    throw new ChangeRefused('not-found', `TOKEN is not a token of this store: ${token.because}`);
  }
  const { jti, claims, expiresAtMs } = token;
  if (token.standing === 'expired') {
    const ended = new Date(expiresAtMs).toISOString();
    throw new ChangeRefused(
      'conflict',
      `the token expired at ${ended}: there is nothing to revoke`,
    );
  }
  const done = await commitAndAwait(context, {
    kind: 'token.revoke',
    jti,
    client: claims.client,
    expiresAtMs,
  });
  return { jti, clientId: replica.clients.clientId(claims.client), ...done };
}
