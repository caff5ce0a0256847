/**
 * What a client's credentials did in a span of time: the tokens they minted, from where, what is still alive, and what was changed
 * about them meanwhile. Enough to tell a regulator; it holds no secret and no token, only their names.
 */

import type { IssuedToken } from '../ports/journal.ts';
import type { ClientRecord, SecretRecord } from '../ports/model.ts';
import type { SuspensionRecord } from '../ports/suspensions.ts';
import type { OperationContext } from './context.ts';
import { invalid } from './input.ts';
import { type ListedToken, listedToken } from './list-tokens.ts';
import { currentReplica } from './open-token.ts';
import { showClient } from './read-directory.ts';

/** Tokens of one report; beyond it the report says that it is cut, and from when on it is whole. */
const REPORTED_TOKENS_MAX = 100_000;
/** Tokens read from the journal at a time. */
const PAGE_TOKENS = 10_000;
const REPORTED_CHANGES_MAX = 1_000;
/** Rows, one for each hour, reason, secret and address. */
const REPORTED_REFUSALS_MAX = 20_000;

export type Tally = {
  readonly tokens: number;
  readonly live: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
};

export type ClientReport = {
  readonly clientId: string;
  readonly programId: string;
  readonly environment: string;
  readonly name: string;
  readonly state: string;
  readonly sinceAtMs: number;
  readonly untilAtMs: number;
  /** False: there were more tokens than a report holds, and the oldest are left out. */
  readonly whole: boolean;
  readonly tokens: readonly ListedToken[];
  readonly live: number;
  readonly bySecret: readonly (Tally & { readonly secretId: string; readonly hint: string })[];
  readonly byAddress: readonly (Tally & { readonly address: string })[];
  /** Each suspension of the client or its program in that time, with the tokens minted before and after it. */
  readonly suspensions: readonly {
    readonly suspensionId: string;
    readonly suspendedAtMs: number;
    readonly of: string;
    readonly reason: string;
    readonly by: string;
    readonly endedAtMs?: number;
    readonly tokensBefore: number;
    readonly tokensAfter: number;
  }[];
  /** What was refused to whoever named this client, most often first. Counted by the hour, and some seconds late. */
  readonly refused: readonly {
    readonly reason: string;
    /** Absent where no secret of the client was presented. */
    readonly secretId?: string;
    /** Empty: addresses beyond those that are counted one by one. */
    readonly address: string;
    readonly times: number;
    readonly firstAtMs: number;
    readonly lastAtMs: number;
  }[];
  /** What was changed about the client, its program and its secrets, oldest first. */
  readonly changes: readonly {
    readonly changedAtMs: number;
    readonly action: string;
    readonly target: string;
    readonly actor: string;
    readonly change?: number;
  }[];
};

/** Reports on one client from `sinceMs` to `untilMs` (now, if left out). Throws `ChangeRefused`. */
export async function reportClient(
  context: OperationContext,
  input: {
    readonly clientId: string;
    readonly sinceMs: number;
    readonly untilMs?: number | undefined;
    /** Only what this secret minted. */
    readonly secretId?: string | undefined;
  },
): Promise<ClientReport> {
  const { client, secrets } = await showClient(context, input);
  const nowMs = context.clock.wallMs();
  const { sinceMs, untilMs = nowMs, secretId } = input;
  if (sinceMs >= untilMs) throw invalid('--since must lie before --until, and before now');
  const only = secretId === undefined ? undefined : secretNamed(secrets, secretId);
  const issued = await issuedIn(context, { client: client.ordinal, sinceMs, untilMs });
  const replica = await currentReplica(context);
  const tokens = issued.tokens
    .filter((token) => only === undefined || token.secret === only.ordinal)
    .map((token) =>
      listedToken(token, { replica, secrets, environment: client.environment, nowMs }),
    );
  const targets = [client.clientId, client.programId, ...secrets.map((one) => one.secretId)];
  const lines = await context.directory.changesAbout({
    targets,
    sinceMs,
    untilMs,
    limit: REPORTED_CHANGES_MAX,
  });
  const { clientId, programId, environment, name, state } = client;
  return {
    ...{ clientId, programId, environment, name, state },
    sinceAtMs: sinceMs,
    untilAtMs: untilMs,
    whole: issued.whole,
    live: tokens.filter(isLive).length,
    bySecret: tallied(tokens, (token) => token.secretId).map(([id, tally]) => ({
      secretId: id,
      hint: secrets.find((secret) => secret.secretId === id)?.hint ?? '',
      ...tally,
    })),
    byAddress: tallied(tokens, ({ address }) => address).map(([address, tally]) => ({
      address,
      ...tally,
    })),
    suspensions: (await suspensionsIn(context, client, { sinceMs, untilMs })).map((suspension) =>
      suspensionOf(suspension, tokens),
    ),
    refused: await refusedIn(context, { client: client.ordinal, secrets, sinceMs, untilMs }),
    changes: lines.map(({ atMs, action, target, actor, change }) => ({
      changedAtMs: atMs,
      ...{ action, target, actor },
      ...(change === undefined ? {} : { change }),
    })),
    tokens,
  };
}

/** Newest first, page by page, so that no query of the journal is large. */
async function issuedIn(
  { journal }: Pick<OperationContext, 'journal'>,
  span: { readonly client: number; readonly sinceMs: number; readonly untilMs: number },
): Promise<{ readonly tokens: readonly IssuedToken[]; readonly whole: boolean }> {
  const tokens = new Map<string, IssuedToken>();
  let { untilMs } = span;
  while (tokens.size < REPORTED_TOKENS_MAX) {
    const page = await journal.list({ ...span, untilMs, limit: PAGE_TOKENS });
    const before = tokens.size;
    for (const token of page) tokens.set(Buffer.from(token.jti).toString('base64url'), token);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_TOKENS || tokens.size === before) {
      return { tokens: [...tokens.values()], whole: true };
    }
    // The page may have ended between two tokens of one millisecond, so that one is read again.
    untilMs = last.issuedAtMs;
  }
  return { tokens: [...tokens.values()], whole: false };
}

function secretNamed(secrets: readonly SecretRecord[], secretId: string): SecretRecord {
  const found = secrets.find((secret) => secret.secretId === secretId);
  if (found !== undefined) return found;
  throw invalid(
    "--secret is none of this client's secrets; 'countersign secret list' shows the ones there are",
  );
}

const isLive = ({ standing }: ListedToken): boolean => standing === 'live';

/** Counts by a key, the busiest first. */
function tallied(
  tokens: readonly ListedToken[],
  keyOf: (token: ListedToken) => string,
): readonly (readonly [string, Tally])[] {
  const groups = Map.groupBy(tokens, keyOf);
  return [...groups]
    .map(([key, of]): [string, Tally] => [
      key,
      {
        tokens: of.length,
        live: of.filter(isLive).length,
        // Newest first, as the journal hands them over.
        firstAtMs: of.at(-1)?.issuedAtMs ?? 0,
        lastAtMs: of[0]?.issuedAtMs ?? 0,
      },
    ])
    .sort(([, one], [, other]) => other.tokens - one.tokens);
}

/** Of the client and of its program, as far as they were open in the span. */
async function suspensionsIn(
  { directory }: Pick<OperationContext, 'directory'>,
  { clientId, programId }: ClientRecord,
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
): Promise<readonly SuspensionRecord[]> {
  const of = await Promise.all(
    [{ clientId }, { programId }].map((owner) =>
      directory.suspensions({ ...owner, openOnly: false }),
    ),
  );
  return of
    .flat()
    .filter(
      ({ openedAtMs, closedAtMs = untilMs }) => openedAtMs <= untilMs && closedAtMs >= sinceMs,
    )
    .sort((one, other) => one.openedAtMs - other.openedAtMs);
}

function suspensionOf(
  suspension: SuspensionRecord,
  tokens: readonly ListedToken[],
): ClientReport['suspensions'][number] {
  const { suspensionId, openedAtMs, openedBy, reason, closedAtMs } = suspension;
  const before = tokens.filter(({ issuedAtMs }) => issuedAtMs <= openedAtMs).length;
  return {
    suspensionId,
    suspendedAtMs: openedAtMs,
    of: suspension.clientId ?? suspension.programId ?? '',
    reason,
    by: openedBy,
    ...(closedAtMs === undefined ? {} : { endedAtMs: closedAtMs }),
    tokensBefore: before,
    tokensAfter: tokens.length - before,
  };
}

/** Summed over the hours of the span. */
async function refusedIn(
  { directory }: Pick<OperationContext, 'directory'>,
  span: {
    readonly client: number;
    readonly secrets: readonly SecretRecord[];
    readonly sinceMs: number;
    readonly untilMs: number;
  },
): Promise<ClientReport['refused']> {
  const { secrets, ...query } = span;
  const counts = await directory.refusals({ ...query, limit: REPORTED_REFUSALS_MAX });
  const groups = Map.groupBy(counts, ({ reason, secret, address }) =>
    [reason, secret, address].join(' '),
  );
  return [...groups.values()]
    .map((of) => {
      const [{ reason = '', secret = 0, address = '' } = {}] = of;
      const secretId = secrets.find(({ ordinal }) => ordinal === secret)?.secretId;
      return {
        reason,
        ...(secretId === undefined ? {} : { secretId }),
        address,
        times: of.reduce((sum, { count }) => sum + count, 0),
        firstAtMs: Math.min(...of.map(({ firstAtMs }) => firstAtMs)),
        lastAtMs: Math.max(...of.map(({ lastAtMs }) => lastAtMs)),
      };
    })
    .sort((one, other) => other.times - one.times);
}
