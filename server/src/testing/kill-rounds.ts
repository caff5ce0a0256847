/** A server under load that is killed at a random moment, over and over, and what its clients saw held against what is left. */

import { randomInt } from 'node:crypto';
import { newDataDirectory } from './data.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  post,
  requestToken,
} from './onboarding.ts';
import { startServer } from './running-server.ts';

const CALLERS = 4;
const ALIVE_MS_MAX = 300;
const JTI_FROM = 0;

type Seen = { readonly tokens: Set<string>; readonly revoked: Set<string> };
export type KillRounds = {
  readonly seen: number;
  readonly revoked: number;
  /** Tokens whose 200 was seen and whose issuance is not in the journal. */
  readonly missing: readonly string[];
  /** Tokens whose 200 was seen and that no longer verify, though nobody revoked them. */
  readonly dead: readonly string[];
  /** Tokens whose revocation was answered and that verify again. */
  readonly revived: readonly string[];
};

export function killRounds(rounds: number): Promise<KillRounds> {
  const data = newDataDirectory();
  return asOperator(data, async (context) => {
    const client = await onboard(context);
    const asker = await onboard(context, { resourceServer: true });
    const seen: Seen = { tokens: new Set(), revoked: new Set() };
    for (let round = 0; round < rounds; round += 1) await loadUntilKilled(data, client, seen);

    const server = await startServer(data);
    const dead: string[] = [];
    const revived: string[] = [];
    const jtis = new Set<string>();
    for (const token of seen.tokens) {
      const active = (await introspect(server.url, asker, token)) === 'active';
      if (seen.revoked.has(token) && active) revived.push(jtiOf(token));
      if (!seen.revoked.has(token) && !active) dead.push(jtiOf(token));
      if (active) jtis.add(jtiOf(token));
    }
    await server.stop();
    const [record] = await context.directory.clients({ clientId: client.clientId });
    const journaled = await context.journal.list({
      client: record?.ordinal ?? 0,
      sinceMs: JTI_FROM,
      limit: 10_000,
    });
    const onRecord = new Set(journaled.map(({ jti }) => Buffer.from(jti).toString('base64url')));
    const missing = [...jtis].filter((jti) => !onRecord.has(jti));
    return { seen: seen.tokens.size, revoked: seen.revoked.size, missing, dead, revived };
  });
}

/** Some clients take tokens and revoke every third until the server is gone; only what was answered is noted. */
async function loadUntilKilled(data: string, client: Onboarded, seen: Seen): Promise<void> {
  const server = await startServer(data);
  const caller = async (): Promise<void> => {
    for (let made = 1; ; made += 1) {
      const token = await requestToken(server.url, client);
      if (token === undefined) return;
      // A revocation under way when the kill comes may have happened or not: such a token is not judged.
      if (made % 3 !== 0) {
        seen.tokens.add(token);
        continue;
      }
      const answer = await post(`${server.url}/sandbox/revoke`, {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        token,
      });
      if (answer.status !== 200) return;
      seen.tokens.add(token);
      seen.revoked.add(token);
    }
  };
  const callers = Array.from({ length: CALLERS }, () => caller().catch(() => undefined));
  setTimeout(() => server.process.kill('SIGKILL'), randomInt(ALIVE_MS_MAX) + 50);
  await Promise.all(callers);
  await server.stop('SIGKILL');
}

/** The nonce of a token stands in the clear after version and key id. */
export function jtiOf(token: string): string {
  const body = token.slice(token.lastIndexOf('_', 'token_test_'.length) + 1);
  return Buffer.from(body, 'base64url').subarray(3, 15).toString('base64url');
}
