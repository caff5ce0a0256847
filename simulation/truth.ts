/**
 * What really happened, as only somebody outside can know: every kill with its commit and its receipt, every token with what killed
 * it, and how old each fact is. Told by the store at the moment of a commit; no node is asked.
 */

import { openToken, type TokenClaims } from '../server/src/credentials/access-token.ts';
import { ALL_KEYS, ENVIRONMENT } from './keys.ts';
import type { State, StoredChange } from './state.ts';

export type Kill = {
  readonly kind: string;
  readonly changeId: string;
  readonly sequence: number;
  readonly committedMs: number;
  /** Exactly one of these says what is killed. */
  readonly program?: number;
  readonly client?: number;
  readonly secret?: number;
  readonly jti?: string;
  /** False: only new tokens are refused, as a secret revoked without its tokens does. */
  readonly killsTokens: boolean;
  receiptMs?: number;
  /** The reactivation that ended it. */
  ended?: { readonly changeId: string; readonly sequence: number; readonly atMs: number };
  /** Reactivations that had ended it and that failovers lost: nodes may follow a log that holds them for a while. */
  readonly lostEnds: string[];
  /** A failover lost it. */
  isLost: boolean;
};

export type Token = {
  readonly text: string;
  readonly jti: string;
  readonly claims: TokenClaims;
  readonly program: number;
  readonly keyVersion: number;
  /** The kills that came after a client held it. */
  readonly kills: Kill[];
  /** Nodes that have called it revoked. */
  readonly refusedBy: Set<string>;
  /** Made in a history that a failover lost: promises do not reach that far. */
  isOrphan: boolean;
};

export type Truth = {
  readonly tokens: ReadonlyMap<string, Token>;
  readonly kills: readonly Kill[];
  committed(change: StoredChange, nowMs: number): void;
  lost(after: number, primary: State): void;
  acknowledged(changeId: string, nowMs: number): void;
  /** `upon` is the change that the node which made the token had applied last. */
  issued(text: string, upon: string): Token;
  change(changeId: string): StoredChange | undefined;
  isLost(changeId: string): boolean;
  /** Whether a change, or one that it was made upon, is this one. */
  isUpon(changeId: string, earlier: string): boolean;
  /** When something about this client was last changed. */
  touchedMs(client: number, program: number): number;
};

export function newTruth(primary: () => State): Truth {
  const tokens = new Map<string, Token>();
  const kills: Kill[] = [];
  const changes = new Map<string, StoredChange>();
  const lost = new Set<string>();
  const touched = new Map<string, number>();

  const isVictim = (token: Token, kill: Kill): boolean =>
    kill.program === token.program ||
    kill.client === token.claims.client ||
    kill.secret === token.claims.secret ||
    kill.jti === token.jti;

  const addKill = (change: StoredChange, nowMs: number): void => {
    const about = killedBy(change);
    if (about === undefined) return;
    const { kind, changeId, sequence } = change;
    const kill: Kill = {
      kind,
      changeId,
      sequence,
      committedMs: nowMs,
      ...about,
      lostEnds: [],
      isLost: false,
    };
    kills.push(kill);
    if (!kill.killsTokens) return;
    for (const token of tokens.values()) if (isVictim(token, kill)) token.kills.push(kill);
  };

  const endKills = (change: StoredChange, nowMs: number): void => {
    const [fact] = change.facts;
    for (const kill of kills) {
      if (kill.ended !== undefined || kill.isLost) continue;
      const isEnded =
        (change.kind === 'program.reactivate' &&
          fact?.is === 'program' &&
          fact.ordinal === kill.program) ||
        (change.kind === 'client.reactivate' &&
          fact?.is === 'client' &&
          fact.ordinal === kill.client);
      const { changeId, sequence } = change;
      if (isEnded) kill.ended = { changeId, sequence, atMs: nowMs };
    }
  };

  const isUpon = (changeId: string, earlier: string): boolean => {
    let at: string | undefined = changeId;
    while (at !== undefined && at !== earlier) at = changes.get(at)?.upon;
    return at !== undefined;
  };

  return {
    tokens,
    kills,
    committed: (change, nowMs) => {
      changes.set(change.changeId, change);
      for (const fact of change.facts) {
        if (fact.is === 'program') touched.set(`program ${fact.ordinal}`, nowMs);
        if (fact.is === 'client') touched.set(`client ${fact.ordinal}`, nowMs);
        if (fact.is === 'secret') touched.set(`client ${fact.client}`, nowMs);
        if (fact.is === 'revoked-token') touched.set(`client ${fact.client}`, nowMs);
      }
      addKill(change, nowMs);
      endKills(change, nowMs);
    },
    lost: (after, state) => {
      for (const change of changes.values()) {
        if (change.sequence > after) lost.add(change.changeId);
      }
      for (const kill of kills) {
        if (kill.sequence > after) kill.isLost = true;
        if (kill.ended === undefined || kill.ended.sequence <= after) continue;
        kill.lostEnds.push(kill.ended.changeId);
        delete kill.ended;
        // What was issued after the kill stands on a reactivation that is lost, as the lost tokens of a lost client do.
        for (const token of tokens.values()) {
          if (isVictim(token, kill) && !token.kills.includes(kill)) token.isOrphan = true;
        }
      }
      for (const token of tokens.values()) {
        token.refusedBy.clear();
        if (isUnknownTo(state, token)) token.isOrphan = true;
      }
    },
    acknowledged: (changeId, nowMs) => {
      for (const kill of kills) if (kill.changeId === changeId) kill.receiptMs ??= nowMs;
    },
    issued: (text, upon) => {
      const opened = openToken(text, ALL_KEYS.tokenKeys(ENVIRONMENT.ordinal));
      if (!opened.ok) throw new Error('a node handed out what is no token');
      const { jti, claims, keyVersion } = opened;
      const program = primary().clients.get(claims.client)?.program ?? 0;
      const token: Token = {
        ...{ text, jti, claims, keyVersion, program },
        kills: [],
        refusedBy: new Set(),
        isOrphan: isUnknownTo(primary(), { claims }),
      };
      // The generation alone does not tell: the new history gives the numbers out again.
      const standsOnLost = kills.some(
        (kill) => isVictim(token, kill) && kill.lostEnds.some((end) => isUpon(upon, end)),
      );
      token.isOrphan ||= standsOnLost;
      tokens.set(text, token);
      return token;
    },
    change: (changeId) => changes.get(changeId),
    isLost: (changeId) => lost.has(changeId),
    isUpon,
    touchedMs: (client, program) =>
      Math.max(touched.get(`client ${client}`) ?? 0, touched.get(`program ${program}`) ?? 0),
  };
}

function killedBy(
  change: StoredChange,
): Pick<Kill, 'program' | 'client' | 'secret' | 'jti' | 'killsTokens'> | undefined {
  const [fact] = change.facts;
  const killsTokens = true;
  if (change.kind === 'program.suspend' && fact?.is === 'program') {
    return { program: fact.ordinal, killsTokens };
  }
  if (/^client\.(suspend|delete)$/.test(change.kind) && fact?.is === 'client') {
    return { client: fact.ordinal, killsTokens };
  }
  if (change.kind === 'secret.revoke' && fact?.is === 'secret') {
    return { secret: fact.ordinal, killsTokens: fact.killed };
  }
  if (change.kind === 'token.revoke' && fact?.is === 'revoked-token') {
    return { jti: fact.jti, killsTokens };
  }
  return undefined;
}

/** The sum of the generations, as the store has it. */
function generationIn(state: State, client: number): number {
  const row = state.clients.get(client);
  return (row?.generation ?? 0) + (state.programs.get(row?.program ?? 0)?.generation ?? 0);
}

const isUnknownTo = (state: State, { claims }: Pick<Token, 'claims'>): boolean =>
  !state.clients.has(claims.client) ||
  state.secrets.get(claims.secret)?.client !== claims.client ||
  claims.generation > generationIn(state, claims.client);

/** Whether a client and its program are active, as the store has it. */
export function isActiveIn(state: State, client: number): boolean {
  const row = state.clients.get(client);
  return row?.state === 'active' && state.programs.get(row.program)?.suspended === false;
}

/** Whether a token is alive by the store alone, its expiry aside. */
export function isLiveIn(state: State, { claims, keyVersion, jti }: Token): boolean {
  return (
    state.tokenKeys.some(({ version }) => version === keyVersion) &&
    claims.generation === generationIn(state, claims.client) &&
    isActiveIn(state, claims.client) &&
    state.secrets.get(claims.secret)?.killed === false &&
    !state.revokedTokens.has(jti)
  );
}
