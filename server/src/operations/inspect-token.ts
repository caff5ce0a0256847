/** Tells what a token is: whose, for what, until when, and whether it is alive. */

import type { Replica } from '../replica/replica.ts';
import type { OperationContext } from './context.ts';
import { currentReplica, judgeToken, type KnownToken, type UnknownToken } from './open-token.ts';

export type InspectedToken =
  | UnknownToken
  | {
      readonly standing: KnownToken['standing'];
      /** Why it is dead, in words. */
      readonly because?: string;
      readonly jti: string;
      readonly environment: string;
      readonly clientId: string;
      readonly programId: string;
      /** The secret that got it. */
      readonly secretId?: string;
      readonly scope: string;
      readonly resource?: string;
      readonly issuedAtMs: number;
      readonly expiresAtMs: number;
    };

/** Inspects a token. One that is not ours is reported as such, without being repeated. */
export async function inspectToken(
  context: OperationContext,
  input: { readonly token: string },
): Promise<InspectedToken> {
  const replica = await currentReplica(context);
  const token = judgeToken(context, replica, input.token);
  if (token.standing === 'unknown') return token;
  const { claims, environment, jti, expiresAtMs, standing } = token;
  const state = replica.environment(environment.ordinal);
  const resource = state?.resources.get(claims.resource);
  const clientId = replica.clients.clientId(claims.client);
  const secrets = await context.directory.secrets({ clientId });
  const secretId = secrets.find(({ ordinal }) => ordinal === claims.secret)?.secretId;
  return {
    standing,
    ...(standing === 'revoked' ? { because: whyDead(token, replica) } : {}),
    jti,
    environment: environment.name,
    clientId,
    programId: replica.program(replica.clients.program(claims.client))?.programId ?? '',
    ...(secretId === undefined ? {} : { secretId }),
    scope: state?.scopeSets.get(claims.scopeSet) ?? '',
    ...(resource === undefined ? {} : { resource }),
    issuedAtMs: claims.issuedAtMs,
    expiresAtMs,
  };
}

function whyDead({ claims, jti }: KnownToken, replica: Replica): string {
  if (replica.isTokenRevoked(jti)) return 'the token itself was revoked';
  if (replica.isSecretKilled(claims.secret))
    return 'its secret was revoked together with its tokens';
  const state = replica.clients.state(claims.client);
  if (state !== 'active') return `its client is ${state}`;
  const program = replica.program(replica.clients.program(claims.client));
  if (program?.suspended === true) return 'its program is suspended';
  return 'its program or client was suspended after it was issued';
}
