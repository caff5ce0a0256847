/**
 * What becomes of a credential that somebody found, whoever tells and wherever it stood: a live token is revoked, a live secret is marked
 * as exposed and, if the installation has decided so, revoked or its client suspended. Only what verifies and is not yet dead is written.
 */

import { expiresAtSeconds, isRefusal } from '@countersign/protocol';
import { tagOfSecret, tagOfToken } from '../credentials/identifiers.ts';
import { macOfSecret } from '../credentials/secret-hash.ts';
import type { FoundSecret } from '../ports/leaks.ts';
import { type Change, type Committed, StoreUnavailable } from '../ports/store.ts';
import type { Authority } from './context.ts';
import type { Leak, LeakSource } from './leak-desk.ts';
import { type Verified, verifyToken } from './verify-token.ts';

type KnownToken = Exclude<Verified, { readonly standing: 'unknown' }>;

/** Works on leaks; tells of each whether it is, or was, a credential of this store. Throws `StoreUnavailable` when that cannot be told. */
export async function workOnLeaks(
  authority: Authority,
  leaks: readonly Leak[],
): Promise<readonly boolean[]> {
  const secrets = await secretsAmong(authority, leaks);
  const known: boolean[] = [];
  for (const leak of leaks) {
    const secret = secrets.get(leak.text);
    if (secret !== undefined) await reportSecret(authority, secret, leak.source);
    const token = secret === undefined ? await tokenOf(authority, leak.text) : undefined;
    if (token !== undefined) await reportToken(authority, token, leak.source);
    known.push(secret !== undefined || token !== undefined);
  }
  return known;
}

async function tokenOf(authority: Authority, text: string): Promise<KnownToken | undefined> {
  const environment = environmentOfTag(authority, tagOfToken(text));
  if (environment === undefined) return undefined;
  const verified = await verifyToken(authority, environment, text);
  if (isRefusal(verified)) throw new StoreUnavailable('a found token cannot be judged now');
  return verified.standing === 'unknown' ? undefined : verified;
}

async function reportToken(
  authority: Authority,
  { standing, jti, claims }: KnownToken,
  { actor, where, isUrl }: LeakSource,
): Promise<void> {
  if (standing !== 'live') return;
  const client = authority.replica.clients.clientId(claims.client);
  const revokes = !isUrl || authority.replica.policy('token-in-url') === 'revoke';
  if (!revokes) {
    authority.log.warn({ client, jti }, 'a live token stood in a URL and was left alive');
    return;
  }
  const expiresAtMs = expiresAtSeconds(claims) * 1000;
  const revoked = await commit(authority, actor, {
    kind: 'token.revoke',
    ...{ jti, client: claims.client, expiresAtMs, where },
  });
  if (!revoked.changed) return;
  const words = isUrl
    ? 'a live token stood in a URL and was revoked'
    : 'a live token was reported as leaked and revoked';
  authority.log.warn({ client, jti, where }, words);
}

async function reportSecret(
  authority: Authority,
  secret: FoundSecret,
  { actor, where, isUrl }: LeakSource,
): Promise<void> {
  if (!secret.isLive) return;
  const { ordinal, secretId, clientId } = secret;
  if (!secret.isExposed) {
    await commit(authority, actor, { kind: 'secret.expose', secret: ordinal, where });
    const words = isUrl
      ? 'a live secret stood in a URL: rotate it'
      : 'a live secret was reported as leaked: rotate it';
    authority.log.warn({ client: clientId, secret: secretId, where }, words);
  }
  const policy = authority.replica.policy('leaked-secret');
  if (policy === 'revoke') {
    // Whoever found the secret may have got tokens by it.
    const kill = { kind: 'secret.revoke', secretId, killTokens: true } as const;
    const { changed } = await commit(authority, actor, kill);
    if (changed) authority.log.warn({ client: clientId, secret: secretId }, 'it was revoked');
  }
  if (policy === 'suspend-client') await suspendOwner(authority, actor, secret);
}

async function suspendOwner(
  authority: Authority,
  actor: string,
  { client, clientId, secretId }: FoundSecret,
): Promise<void> {
  if (authority.replica.clients.state(client) !== 'active') return;
  const reason = `its secret ${secretId} was found in the open`;
  const { changed } = await commit(authority, actor, { kind: 'client.suspend', clientId, reason });
  if (changed) authority.log.warn({ client: clientId, secret: secretId }, 'it was suspended');
}

/** Commits a change; what every node has confirmed becomes an audit line later, and nobody waits for that. */
async function commit(authority: Authority, actor: string, change: Change): Promise<Committed> {
  const { changes, clock, background, receipt } = authority;
  const committed = await changes.commit({ change, actor, atMs: clock.wallMs() });
  if (!committed.changed || change.kind === 'secret.expose') return committed;
  background.run('receipt of a leak', async () => {
    const detail = await receipt(committed);
    if (!detail.complete) return;
    const { sequence } = committed;
    const line = { actor, action: 'receipt', target: `change/${sequence}`, change: sequence };
    await changes.record({ ...line, atMs: clock.wallMs(), detail });
  });
  return committed;
}

/** Secrets among texts, by one question to the store for all of them. */
async function secretsAmong(
  authority: Authority,
  leaks: readonly Leak[],
): Promise<ReadonlyMap<string, FoundSecret>> {
  const texts = new Map<string, string>();
  const macs: Buffer[] = [];
  for (const { text } of leaks) {
    const environment = environmentOfTag(authority, tagOfSecret(text));
    if (environment === undefined) continue;
    // No client is named, so the hash is computed under each pepper that a secret may be under.
    for (const pepper of authority.keyRing.peppers(environment)) {
      const mac = macOfSecret(pepper, text);
      texts.set(mac.toString('base64'), text);
      macs.push(mac);
    }
  }
  if (macs.length === 0) return new Map();
  const found = await authority.directory.secretsByMac(macs, authority.clock.wallMs());
  return new Map(
    found.map((secret) => [texts.get(Buffer.from(secret.mac).toString('base64')) ?? '', secret]),
  );
}

function environmentOfTag({ replica }: Authority, tag: string | undefined): number | undefined {
  if (tag === undefined) return undefined;
  return replica.environments().find((environment) => environment.tag === tag)?.ordinal;
}
