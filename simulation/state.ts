/**
 * What a store holds, in memory: rows that are replaced and never altered, so that a copy costs as much as the lists are long.
 * Reads for replicas, as the SQL stores have them. Knows no time.
 */

import type {
  ChangeLog,
  Fact,
  LoggedChange,
  NodeRow,
  Poll,
  Snapshot,
} from '../server/src/ports/change-log.ts';
import type { ClientState } from '../server/src/ports/model.ts';
import { ENVIRONMENT, PEPPER, TOKEN_KEY_LIST } from './keys.ts';
import type { Random } from './random.ts';

export type ProgramRow = {
  readonly ordinal: number;
  readonly programId: string;
  readonly generation: number;
  readonly suspended: boolean;
};
export type ClientRow = {
  readonly ordinal: number;
  readonly clientId: string;
  readonly program: number;
  readonly generation: number;
  readonly state: ClientState;
};
export type SecretRow = {
  readonly ordinal: number;
  readonly secretId: string;
  readonly client: number;
  readonly mac: Uint8Array;
  readonly revoked: boolean;
  readonly killed: boolean;
};
export type StoredChange = LoggedChange & {
  readonly kind: string;
  readonly target: string;
  /** Id of the change it was made upon. */
  readonly upon: string;
  /** Only of a store that numbers changes before they are visible. */
  readonly visibleFromMs: number;
};

export type State = {
  incarnation: string;
  changes: StoredChange[];
  tokenKeys: readonly Extract<Fact, { is: 'key' }>[];
  programs: Map<number, ProgramRow>;
  clients: Map<number, ClientRow>;
  secrets: Map<number, SecretRow>;
  revokedTokens: Map<string, { readonly client: number; readonly forgetAtMs: number }>;
  nodes: Map<string, NodeRow>;
};

const SCOPE = 'read';
/** Long beside a history, so that only a clock that is set far ahead lets a token expire. */
export const TOKEN_LIFETIME_SECONDS = 3_600;
/** The SQL stores hand over at most 500: few here, so that nodes a little behind need several polls. */
const CHANGES_PER_POLL_MAX = 4;

/** A new store with its first key and some programs. */
export function emptyState(random: Random, programs: number): State {
  const rows = Array.from({ length: programs }, (_, index) => ({
    ordinal: index + 1,
    programId: `program_${index + 1}`,
    generation: 0,
    suspended: false,
  }));
  return {
    incarnation: random.bytes(6).toString('base64url'),
    changes: [],
    tokenKeys: TOKEN_KEY_LIST.slice(0, 1),
    programs: new Map(rows.map((row) => [row.ordinal, row])),
    clients: new Map(),
    secrets: new Map(),
    revokedTokens: new Map(),
    nodes: new Map(),
  };
}

export function copyOf(state: State): State {
  return {
    ...state,
    changes: [...state.changes],
    programs: new Map(state.programs),
    clients: new Map(state.clients),
    secrets: new Map(state.secrets),
    revokedTokens: new Map(state.revokedTokens),
    nodes: new Map(state.nodes),
  };
}

export const headOf = (state: State): number => state.changes.length;
export const changeIdAt = (state: State, sequence: number): string | undefined =>
  sequence === 0 ? '' : state.changes[sequence - 1]?.changeId;

export const programFact = (row: ProgramRow): Fact => ({ is: 'program', ...row });
export const clientFact = (row: ClientRow): Fact => ({
  is: 'client',
  ...row,
  environment: ENVIRONMENT.ordinal,
  resourceServer: false,
});
export const secretFact = (row: SecretRow): Fact => ({
  is: 'secret',
  ordinal: row.ordinal,
  client: row.client,
  killed: row.killed,
});

/** The changes that can be seen at `nowMs`: all, unless numbers are given out before the commit. */
export function pollOf(state: State, after: number, nowMs: number): Poll {
  const isVisible = ({ visibleFromMs }: StoredChange): boolean => visibleFromMs <= nowMs;
  let head = headOf(state);
  while (head > 0 && !isVisible(state.changes[head - 1] as StoredChange)) head -= 1;
  return {
    incarnation: state.incarnation,
    changeIdAtAfter: changeIdAt(state, after),
    head,
    changes: state.changes.slice(after, after + CHANGES_PER_POLL_MAX).filter(isVisible),
  };
}

export function snapshotOf(state: State, nowMs: number): Snapshot {
  const { head, incarnation } = pollOf(state, 0, nowMs);
  const environment = ENVIRONMENT.ordinal;
  const newestSecret = state.secrets.size;
  return {
    position: { sequence: head, changeId: changeIdAt(state, head) ?? '', incarnation },
    facts: [
      { is: 'environment', ...ENVIRONMENT, generation: 0 },
      PEPPER,
      ...state.tokenKeys,
      { is: 'scope', environment, number: 1, name: SCOPE },
      { is: 'scope-set', environment, id: 1, scope: SCOPE },
      ...[...state.programs.values()].map(programFact),
      ...[...state.clients.values()].map(clientFact),
      ...[...state.secrets.values()]
        .filter((row) => row.killed || row.ordinal === newestSecret)
        .map(secretFact),
      ...[...state.revokedTokens].map(
        ([jti, { client }]): Fact => ({ is: 'revoked-token', jti, client }),
      ),
    ],
  };
}

export function loadClient(
  state: State,
  ordinal: number,
): Awaited<ReturnType<ChangeLog['loadClient']>> {
  const row = state.clients.get(ordinal);
  const { incarnation } = state;
  const head = headOf(state);
  const changeId = changeIdAt(state, head) ?? '';
  if (row === undefined) return { incarnation, head, changeId, client: undefined };
  const secrets = [...state.secrets.values()].filter((secret) => secret.client === ordinal);
  return {
    incarnation,
    head,
    changeId,
    client: {
      ordinal,
      clientId: row.clientId,
      programId: state.programs.get(row.program)?.programId ?? '',
      scope: [SCOPE],
      resources: [],
      allowIp: [],
      verifyAddress: false,
      tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS,
      resourceServer: false,
      secrets: secrets.map(({ ordinal: number, secretId, mac, revoked }) => ({
        ordinal: number,
        secretId,
        mac,
        pepperVersion: PEPPER.version,
        revoked,
      })),
    },
  };
}
