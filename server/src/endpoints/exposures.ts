/**
 * What happens when a credential is seen in a URL, and so in somebody's log: a live token is revoked, a live secret is flagged.
 * Off the path of the answer, which is the same either way, and bounded, so that strangers cannot keep the store busy.
 */

import { expiresAtSeconds, isRefusal, type QueryCredential } from '@countersign/protocol';
import { tagOfSecret } from '../credentials/identifiers.ts';
import { macOfSecret, sameMac } from '../credentials/secret-hash.ts';
import { clientOf } from './authenticate.ts';
import type { Authority } from './context.ts';
import { verifyToken } from './verify-token.ts';

/** Takes care of a credential that stood in the URL of a request to this environment. */
export function reportExposure(
  authority: Authority,
  environment: number,
  exposed: QueryCredential,
): void {
  authority.background.run('exposed credential', () => handle(authority, environment, exposed));
}

async function handle(
  authority: Authority,
  environment: number,
  exposed: QueryCredential,
): Promise<void> {
  if (exposed.token !== undefined) await killToken(authority, environment, exposed.token);
  if (exposed.secret !== undefined && exposed.clientId !== undefined) {
    await flagSecret(authority, environment, {
      clientId: exposed.clientId,
      secret: exposed.secret,
    });
  }
}

async function killToken(authority: Authority, environment: number, text: string): Promise<void> {
  const verified = await verifyToken(authority, environment, text);
  if (isRefusal(verified) || verified.standing !== 'live') return;
  const { jti, claims } = verified;
  const client = authority.replica.clients.clientId(claims.client);
  await authority.changes.commit({
    change: {
      kind: 'token.revoke',
      jti,
      client: claims.client,
      expiresAtMs: expiresAtSeconds(claims) * 1000,
    },
    actor: 'system:token-in-url',
    atMs: authority.clock.wallMs(),
  });
  authority.log.warn({ client, jti }, 'a live token stood in a URL and was revoked');
}

async function flagSecret(
  authority: Authority,
  environment: number,
  presented: { clientId: string; secret: string },
): Promise<void> {
  if (tagOfSecret(presented.secret) === undefined) return;
  const client = await clientOf(authority, presented.clientId);
  for (const secret of client?.secrets ?? []) {
    const pepper = authority.keyRing.pepper(environment, secret.pepperVersion);
    if (pepper === undefined || secret.revoked) continue;
    if (!sameMac(macOfSecret(pepper, presented.secret), secret.mac)) continue;
    await authority.changes.commit({
      change: { kind: 'secret.expose', secret: secret.ordinal, where: 'url' },
      actor: 'system:secret-in-url',
      atMs: authority.clock.wallMs(),
    });
    authority.log.warn(
      { client: presented.clientId, secret: secret.secretId },
      'a live secret stood in a URL: rotate it',
    );
  }
}
