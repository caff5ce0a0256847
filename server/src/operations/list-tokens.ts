/** Tells which tokens a client was given lately, from the journal, and which of them are still good. */

import { expiresAtSeconds } from '@countersign/protocol';
import { TOKEN_LIFETIME_SECONDS_MAX } from '../credentials/access-token.ts';
import type { IssuedToken } from '../ports/journal.ts';
import type { SecretRecord } from '../ports/model.ts';
import type { Replica } from '../replica/replica.ts';
import { standingOf } from '../replica/standing.ts';
import type { OperationContext } from './context.ts';
import { currentReplica } from './open-token.ts';
import { requireClient } from './read-directory.ts';

const LONGEST_LIFETIME_MS = TOKEN_LIFETIME_SECONDS_MAX * 1000;
/** Newest first; a client that was given more in a day is told so by the length of the list. */
const TOKENS_MAX = 1_000;

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
  input: {
    readonly clientId: string;
    /** The newest to be listed; left out: now. */
    readonly untilMs?: number | undefined;
    readonly limit?: number;
  },
): Promise<readonly ListedToken[]> {
  const client = await requireClient(context, input.clientId);
  const nowMs = context.clock.wallMs();
  const sinceMs = nowMs - LONGEST_LIFETIME_MS;
  const replica = await currentReplica(context);
  const secrets = await context.directory.secrets({ clientId: client.clientId });
  const { untilMs, limit = TOKENS_MAX } = input;
  const until = untilMs === undefined ? {} : { untilMs };
  const query = { client: client.ordinal, sinceMs, ...until, limit };
  const issued = await context.journal.list(query);
  const known = { replica, secrets, environment: client.environment, nowMs };
  return issued.map((token) => listedToken(token, known));
}

/** A token of the journal as people read it, with what it is worth now. */
export function listedToken(
  token: IssuedToken,
  known: {
    readonly replica: Replica;
    readonly secrets: readonly SecretRecord[];
    /** Name of the client's environment. */
    readonly environment: string;
    readonly nowMs: number;
  },
): ListedToken {
  const jti = Buffer.from(token.jti).toString('base64url');
  const environment = known.replica.environmentByName(known.environment);
  const at = { environment: environment?.ordinal ?? 0, nowMs: known.nowMs };
  const standing = standingOf({ jti, claims: token }, at, known.replica);
  const resource = environment?.resources.get(token.resource);
  return {
    jti,
    // Issued by a node that knew more than this snapshot: it was made meanwhile, and lives.
    standing: standing === 'ahead' || standing === 'other-environment' ? 'live' : standing,
    secretId: known.secrets.find(({ ordinal }) => ordinal === token.secret)?.secretId ?? '',
    scope: environment?.scopeSets.get(token.scopeSet) ?? '',
    ...(resource === undefined ? {} : { resource }),
    issuedAtMs: token.issuedAtMs,
    expiresAtMs: expiresAtSeconds(token) * 1000,
    address: token.address,
  };
}

/** Tokens of one client within one millisecond, far beyond what it gets. */
const TOKENS_PER_MS_MAX = 1_000;

/** A page of the same, and the mark at which the next one goes on: it stays where it is when newer tokens come. */
export async function listTokenPage(
  context: OperationContext,
  input: {
    readonly clientId: string;
    readonly after?: number | undefined;
    readonly limit: number;
  },
): Promise<{ readonly tokens: readonly ListedToken[]; readonly next: number | undefined }> {
  const { clientId, after, limit } = input;
  const untilMs = after === undefined ? undefined : Math.floor(after / TOKENS_PER_MS_MAX);
  const skipped = after === undefined ? 0 : after % TOKENS_PER_MS_MAX;
  const found = await listTokens(context, { clientId, untilMs, limit: skipped + limit + 1 });
  const shown = found.slice(0, skipped + limit);
  const last = shown.at(-1);
  if (found.length === shown.length || last === undefined) {
    return { tokens: shown.slice(skipped), next: undefined };
  }
  const ofThatMs = shown.filter(({ issuedAtMs }) => issuedAtMs === last.issuedAtMs).length;
  const next = last.issuedAtMs * TOKENS_PER_MS_MAX + Math.min(ofThatMs, TOKENS_PER_MS_MAX - 1);
  return { tokens: shown.slice(skipped), next };
}
