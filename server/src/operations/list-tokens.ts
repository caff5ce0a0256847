/** Tells which tokens a client was given lately, from the journal, and which of them are still good. */

import { expiresAtSeconds } from '@countersign/protocol';
import { TOKEN_LIFETIME_SECONDS_MAX } from '../credentials/access-token.ts';
import type { IssuedToken } from '../ports/journal.ts';
import type { AuditLine, ClientRecord } from '../ports/model.ts';
import type { Replica } from '../replica/replica.ts';
import type { OperationContext } from './context.ts';
import { currentReplica } from './open-token.ts';
import { requireClient } from './read-directory.ts';

const LONGEST_LIFETIME_MS = TOKEN_LIFETIME_SECONDS_MAX * 1000;
/** Newest first; a client that was given more in a day is told so by the length of the list. */
const TOKENS_MAX = 1_000;
const AUDIT_PAGE_LINES = 1_000;

export type ListedToken = {
  readonly jti: string;
  readonly standing: 'live' | 'expired' | 'revoked';
  readonly secretId: string;
  readonly scope: string;
  readonly resource?: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly address: string;
};

/** The tokens of a client that could still be alive by their age, newest first. Throws `ChangeRefused`. */
export async function listTokens(
  context: OperationContext,
  input: { readonly clientId: string },
): Promise<readonly ListedToken[]> {
  const client = await requireClient(context, input.clientId);
  const nowMs = context.clock.wallMs();
  const sinceMs = nowMs - LONGEST_LIFETIME_MS;
  const [replica, secrets, killedBeforeMs, issued] = [
    await currentReplica(context),
    await context.directory.secrets({ clientId: client.clientId }),
    await newestKill(context, client, sinceMs),
    await context.journal.list({ client: client.ordinal, sinceMs, limit: TOKENS_MAX }),
  ];
  const secretIds = new Map(secrets.map(({ ordinal, secretId }) => [ordinal, secretId]));
  const environment = replica.environmentByName(client.environment);
  return issued.map((token) => {
    const resource = environment?.resources.get(token.resource);
    return {
      jti: jtiOf(token),
      standing: standingOfIssued(token, { replica, nowMs, killedBeforeMs }),
      secretId: secretIds.get(token.secret) ?? '',
      scope: environment?.scopeSets.get(token.scopeSet) ?? '',
      ...(resource === undefined ? {} : { resource }),
      issuedAtMs: token.issuedAtMs,
      expiresAtMs: expiresAtSeconds(token) * 1000,
      address: token.address,
    };
  });
}

function standingOfIssued(
  token: IssuedToken,
  at: { readonly replica: Replica; readonly nowMs: number; readonly killedBeforeMs: number },
): ListedToken['standing'] {
  const { replica } = at;
  if (at.nowMs >= expiresAtSeconds(token) * 1000) return 'expired';
  const program = replica.program(replica.clients.program(token.client));
  const dead =
    replica.clients.state(token.client) !== 'active' ||
    program?.suspended !== false ||
    replica.isTokenRevoked(jtiOf(token)) ||
    replica.isSecretKilled(token.secret) ||
    token.issuedAtMs <= at.killedBeforeMs;
  return dead ? 'revoked' : 'live';
}

function jtiOf(token: IssuedToken): string {
  return Buffer.from(token.jti).toString('base64url');
}

/**
 * Until when the client's tokens were killed. The journal holds no generation, so the audit trail is asked: what was issued before
 * a reactivation is dead, since a suspension preceded it. Read backwards, a page at a time, as far as a token may live.
 */
async function newestKill(
  context: OperationContext,
  client: ClientRecord,
  sinceMs: number,
): Promise<number> {
  let { sequence } = await context.audit.head();
  while (sequence > 0) {
    const after = Math.max(0, sequence - AUDIT_PAGE_LINES);
    const page = await context.audit.lines({ after, limit: sequence - after });
    const kill = page.findLast((line) => killsTokensOf(line, client));
    if (kill !== undefined) return kill.atMs;
    if ((page[0]?.atMs ?? 0) < sinceMs) return 0;
    sequence = after;
  }
  return 0;
}

function killsTokensOf({ action, target, detail }: AuditLine, client: ClientRecord): boolean {
  switch (action) {
    case 'program.reactivate':
      return target === client.programId;
    case 'client.reactivate':
      return target === client.clientId;
    case 'token.revoke':
      return detail['all_tokens_of_client'] === true && detail['client'] === client.ordinal;
    default:
      return false;
  }
}
