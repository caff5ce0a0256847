/** One change of a simulated store, whole: what the SQL stores do, for the changes that kill, revive and make. */

import type { Fact } from '../server/src/ports/change-log.ts';
import {
  type Change,
  ChangeRefused,
  type Command,
  type Committed,
} from '../server/src/ports/store.ts';
import {
  type ClientRow,
  changeIdAt,
  clientFact,
  headOf,
  type ProgramRow,
  programFact,
  type SecretRow,
  type State,
  secretFact,
} from './state.ts';

type Effect = { readonly target: string; readonly facts: readonly Fact[] };
type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

/** Ways in which a store may be wrong on purpose. */
export type StoreFlaws = {
  /** A suspension sets its flag and leaves the generation as it was. */
  readonly suspendsWithoutBump: boolean;
  /** Numbers are given out when a change begins and seen when it ends, as a serial column does. */
  readonly numbersBeforeCommit: boolean;
  /** A renewal moves its row's counter by one. */
  readonly countsRenewals: boolean;
  /** Whoever waits for a change gets the nodes of any store that has a change of its number. */
  readonly knowsByNumber: boolean;
};

const FORGET_AFTER_EXPIRY_MS = 60 * 60 * 1000;
const PRUNE_MARGIN_MS = 7 * 24 * 60 * 60 * 1000;

/** Commits a change at once. Throws ChangeRefused. */
export function commitTo(
  state: State,
  command: Command & { changeId: string; visibleFromMs: number },
  flaws: StoreFlaws,
): Committed {
  const { change, changeId, visibleFromMs } = command;
  const effect = effectOf(state, command, flaws);
  if (effect === undefined) return earlier(state, change.kind, targetOf(change));
  const sequence = headOf(state) + 1;
  const upon = changeIdAt(state, sequence - 1) ?? '';
  state.changes.push({ sequence, changeId, upon, kind: change.kind, visibleFromMs, ...effect });
  return { sequence, changeId, changed: true };
}

function earlier(state: State, kind: string, target: string): Committed {
  const row = state.changes.findLast((one) => one.kind === kind && one.target === target);
  return { sequence: row?.sequence ?? 0, changeId: row?.changeId ?? '', changed: false };
}

function targetOf(change: Change): string {
  if ('secretId' in change) return change.secretId;
  if ('clientId' in change) return change.clientId;
  if ('programId' in change) return change.programId;
  return 'jti' in change ? change.jti : '';
}

/** What the change does; undefined: it was so already. */
function effectOf(state: State, { change, atMs }: Command, flaws: StoreFlaws): Effect | undefined {
  switch (change.kind) {
    case 'program.suspend':
    case 'program.reactivate':
      return setProgram(state, change, flaws);
    case 'client.create':
      return createClient(state, change);
    case 'client.suspend':
    case 'client.reactivate':
    case 'client.delete':
      return setClient(state, change, flaws);
    case 'secret.create':
      return createSecret(state, change);
    case 'secret.revoke':
      return revokeSecret(state, change);
    case 'token.revoke':
      return revokeToken(state, change, atMs);
    default:
      throw new Error(`the simulated store knows no ${change.kind}`);
  }
}

const missing = (what: string): ChangeRefused => new ChangeRefused('not-found', `no ${what}`);

function setProgram(
  state: State,
  change: Of<'program.suspend'> | Of<'program.reactivate'>,
  flaws: StoreFlaws,
): Effect | undefined {
  const row = [...state.programs.values()].find((one) => one.programId === change.programId);
  if (row === undefined) throw missing(change.programId);
  const suspended = change.kind === 'program.suspend';
  if (row.suspended === suspended) return undefined;
  const raised = suspended && !flaws.suspendsWithoutBump ? 1 : 0;
  const after: ProgramRow = { ...row, suspended, generation: row.generation + raised };
  state.programs.set(row.ordinal, after);
  return { target: change.programId, facts: [programFact(after)] };
}

function liveClient(state: State, clientId: string): ClientRow {
  const row = [...state.clients.values()].find((one) => one.clientId === clientId);
  if (row === undefined || row.state === 'deleted') throw missing(clientId);
  return row;
}

const STATE_AFTER = {
  'client.suspend': 'suspended',
  'client.reactivate': 'active',
  'client.delete': 'deleted',
} as const;

function setClient(
  state: State,
  change: Of<keyof typeof STATE_AFTER>,
  flaws: StoreFlaws,
): Effect | undefined {
  const row = [...state.clients.values()].find((one) => one.clientId === change.clientId);
  const wanted = STATE_AFTER[change.kind];
  if (row === undefined || (row.state === 'deleted' && wanted !== 'deleted')) {
    throw missing(change.clientId);
  }
  if (row.state === wanted) return undefined;
  const raised = wanted === 'active' || flaws.suspendsWithoutBump ? 0 : 1;
  const after: ClientRow = { ...row, state: wanted, generation: row.generation + raised };
  state.clients.set(row.ordinal, after);
  return { target: change.clientId, facts: [clientFact(after)] };
}

function insertSecret(state: State, client: number, secret: Of<'secret.create'>['secret']): Fact {
  const { secretId, mac } = secret;
  const ordinal = state.secrets.size + 1;
  const row = { ordinal, secretId, client, mac, revoked: false, killed: false };
  state.secrets.set(ordinal, row);
  return secretFact(row);
}

function createClient(state: State, change: Of<'client.create'>): Effect | undefined {
  const { clientId, programId } = change;
  const program = [...state.programs.values()].find((one) => one.programId === programId);
  if (program === undefined) throw missing(programId);
  // The operator asks again when the outcome was unknown; the SQL stores refuse the second one by its id.
  if ([...state.clients.values()].some((one) => one.clientId === clientId)) return undefined;
  const ordinal = state.clients.size + 1;
  const row: ClientRow = {
    ordinal,
    clientId,
    program: program.ordinal,
    generation: 0,
    state: 'active',
  };
  state.clients.set(ordinal, row);
  const { secret } = change;
  const made = secret === undefined ? [] : [insertSecret(state, ordinal, secret)];
  return { target: clientId, facts: [clientFact(row), ...made] };
}

function createSecret(state: State, change: Of<'secret.create'>): Effect | undefined {
  const { secretId } = change.secret;
  if ([...state.secrets.values()].some((row) => row.secretId === secretId)) return undefined;
  const client = liveClient(state, change.clientId);
  return { target: change.clientId, facts: [insertSecret(state, client.ordinal, change.secret)] };
}

function revokeSecret(state: State, change: Of<'secret.revoke'>): Effect | undefined {
  const row = [...state.secrets.values()].find((one) => one.secretId === change.secretId);
  if (row === undefined) throw missing(change.secretId);
  const killed = row.killed || change.killTokens;
  if (row.revoked && killed === row.killed) return undefined;
  const after: SecretRow = { ...row, revoked: true, killed };
  state.secrets.set(row.ordinal, after);
  return { target: change.secretId, facts: [secretFact(after)] };
}

function revokeToken(state: State, change: Of<'token.revoke'>, atMs: number): Effect | undefined {
  const { jti, client } = change;
  if (state.revokedTokens.has(jti)) return undefined;
  for (const [known, row] of state.revokedTokens) {
    if (row.forgetAtMs < atMs - PRUNE_MARGIN_MS) state.revokedTokens.delete(known);
  }
  const forgetAtMs = change.expiresAtMs + FORGET_AFTER_EXPIRY_MS;
  state.revokedTokens.set(jti, { client, forgetAtMs });
  return { target: jti, facts: [{ is: 'revoked-token', jti, client }] };
}
