/**
 * A node's in-memory state: what verification and issuance need to know, as of one position of the change log. It knows no
 * store, no clock and no key: facts come in, in order, and questions are answered at once.
 */

import type { Fact, LoggedChange, Poll, Snapshot } from '../ports/change-log.ts';
import type { EnvironmentRecord, Position } from '../ports/model.ts';
import { POLICIES, type PolicyName } from '../ports/policies.ts';
import { type ClientTable, newClientTable } from './client-table.ts';

export type EnvironmentState = EnvironmentRecord & {
  readonly scopes: ReadonlyMap<number, string>;
  /** Canonical scope by scope-set id, and back. */
  readonly scopeSets: ReadonlyMap<number, string>;
  readonly scopeSetIds: ReadonlyMap<string, number>;
  readonly resources: ReadonlyMap<number, string>;
};

type MutableEnvironment = {
  -readonly [Key in keyof EnvironmentRecord]: EnvironmentRecord[Key];
} & {
  scopes: Map<number, string>;
  scopeSets: Map<number, string>;
  scopeSetIds: Map<string, number>;
  resources: Map<number, string>;
};

type ProgramState = { programId: string; generation: number; suspended: boolean };

export type Replica = {
  readonly position: Position;
  /** The id of a change that was applied lately, or of the one it was loaded at. */
  changeIdAt(sequence: number): string | undefined;
  readonly clients: ClientTable;
  /** The highest secret ordinal it has heard of. */
  readonly lastSecret: number;
  environment(ordinal: number): EnvironmentState | undefined;
  environmentByName(name: string): EnvironmentState | undefined;
  environments(): readonly EnvironmentState[];
  program(ordinal: number): Readonly<ProgramState> | undefined;
  isTokenRevoked(jti: string): boolean;
  isSecretKilled(ordinal: number): boolean;
  /** What the installation has decided, or the fallback. */
  policy(name: PolicyName): string;
  /** The sum of the generations that a live token of this client carries. */
  generationOf(client: number): number;
  /** Replaces everything by a snapshot. */
  load(snapshot: Snapshot): void;
  /**
   * Applies what a poll brought. 'diverged': the store is not the one we follow, or went back; nothing was applied and the
   * replica must be loaded anew. 'behind': there is more to poll.
   */
  take(poll: Poll, asked: Position): 'current' | 'behind' | 'diverged';
  /** Drops what has been held for longer than any token lives, by the node's own monotonic clock. Call it now and then. */
  forget(monotonicMs: number): void;
};

export type Listeners = {
  /** A root key arrived, or one is retired. */
  key(fact: Extract<Fact, { is: 'key' | 'key-retired' }>, environment: EnvironmentRecord): void;
  /** What is cached of the client is stale. */
  clientChanged(ordinal: number): void;
  /** Everything is being loaded anew. */
  reset(): void;
  /** A change has been applied whole, and is the position now. */
  changed?(change: LoggedChange): void;
};

/** A load comes back within that many changes, or it is repeated. */
const RECENT_CHANGES_MAX = 1_000;

const NOWHERE: Position = { sequence: 0, changeId: '', incarnation: '' };

export function newReplica(listeners: Listeners): Replica {
  const clients = newClientTable();
  const environments = new Map<number, MutableEnvironment>();
  const programs = new Map<number, ProgramState>();
  const revokedTokens = new Map<string, Seen>();
  const killedSecrets = new Map<number, Seen>();
  const policies = new Map<string, string>();
  let lastSecret = 0;
  let position = NOWHERE;
  const recent = new Map<number, string>();

  const existing = (ordinal: number): MutableEnvironment => {
    const environment = environments.get(ordinal);
    if (environment === undefined) throw new Error(`a fact names environment ${ordinal}`);
    return environment;
  };

  /** A fact of a kind that only a newer version knows decides nothing here: it is passed over. */
  const apply = (fact: Fact): void => {
    switch (fact.is) {
      case 'environment': {
        const { is: _, ...record } = fact;
        const known = environments.get(fact.ordinal);
        if (known === undefined) environments.set(fact.ordinal, newEnvironment(record));
        else Object.assign(known, record);
        return;
      }
      case 'program':
        programs.set(fact.ordinal, fact);
        return;
      case 'client':
        clients.set(fact);
        listeners.clientChanged(fact.ordinal);
        return;
      case 'secret':
        lastSecret = Math.max(lastSecret, fact.ordinal);
        if (fact.killed) killedSecrets.set(fact.ordinal, undefined);
        listeners.clientChanged(fact.client);
        return;
      case 'revoked-token':
        revokedTokens.set(fact.jti, undefined);
        return;
      case 'scope':
        existing(fact.environment).scopes.set(fact.number, fact.name);
        return;
      case 'scope-set': {
        const { scopeSets, scopeSetIds } = existing(fact.environment);
        scopeSets.set(fact.id, fact.scope);
        scopeSetIds.set(fact.scope, fact.id);
        return;
      }
      case 'resource':
        existing(fact.environment).resources.set(fact.number, fact.uri);
        return;
      case 'policy':
        policies.set(fact.name, fact.value);
        return;
      case 'key':
      case 'key-retired':
        listeners.key(fact, existing(fact.environment));
        return;
    }
  };

  const clear = (): void => {
    position = NOWHERE;
    lastSecret = 0;
    clients.clear();
    for (const map of [environments, programs, revokedTokens, killedSecrets, policies]) map.clear();
    listeners.reset();
  };

  const applyChange = (change: LoggedChange): void => {
    if (change.sequence <= position.sequence) return;
    if (change.sequence !== position.sequence + 1) {
      throw new Error(`change ${change.sequence} came after ${position.sequence}`);
    }
    for (const fact of change.facts) apply(fact);
    position = { ...position, sequence: change.sequence, changeId: change.changeId };
    recent.set(change.sequence, change.changeId);
    recent.delete(change.sequence - RECENT_CHANGES_MAX);
    listeners.changed?.(change);
  };

  return {
    get position() {
      return position;
    },
    changeIdAt: (sequence) => recent.get(sequence),
    get lastSecret() {
      return lastSecret;
    },
    clients,
    environment: (ordinal) => environments.get(ordinal),
    environmentByName: (name) => [...environments.values()].find((one) => one.name === name),
    environments: () => [...environments.values()],
    program: (ordinal) => programs.get(ordinal),
    // Of an empty map nothing is asked: the name was just made, and to look it up would hash it first.
    isTokenRevoked: (jti) => revokedTokens.size > 0 && revokedTokens.has(jti),
    policy: (name) => policies.get(name) ?? POLICIES[name].fallback,
    isSecretKilled: (ordinal) => killedSecrets.has(ordinal),
    generationOf: (client) =>
      (environments.get(clients.environment(client))?.generation ?? 0) +
      (programs.get(clients.program(client))?.generation ?? 0) +
      clients.generation(client),
    load: (snapshot) => {
      clear();
      for (const fact of snapshot.facts) apply(fact);
      position = snapshot.position;
      recent.clear();
      recent.set(position.sequence, position.changeId);
    },
    take: (poll, asked) => {
      const sameStore =
        poll.incarnation === position.incarnation &&
        poll.head >= asked.sequence &&
        poll.changeIdAtAfter === asked.changeId;
      if (!sameStore) return 'diverged';
      // Asked before another answer was applied. Where the two overlap they must tell the same story.
      const overlap = poll.changes.find(({ sequence }) => sequence === position.sequence);
      if (overlap !== undefined && overlap.changeId !== position.changeId) return 'diverged';
      if (overlap === undefined && asked.sequence < position.sequence) return 'behind';
      for (const change of poll.changes) applyChange(change);
      return position.sequence >= poll.head ? 'current' : 'behind';
    },
    forget: (monotonicMs) => {
      dropOld(revokedTokens, monotonicMs);
      dropOld(killedSecrets, monotonicMs);
    },
  };
}

function newEnvironment(record: EnvironmentRecord): MutableEnvironment {
  return {
    ...record,
    scopes: new Map(),
    scopeSets: new Map(),
    scopeSetIds: new Map(),
    resources: new Map(),
  };
}

/** When a kill was first seen by `forget`; undefined until then. */
type Seen = number | undefined;

/** No token lives longer than a day. Not by the wall clock: one that jumps ahead and back would revive what was killed. */
const REMEMBER_MS = 25 * 60 * 60 * 1000;

function dropOld<Key>(map: Map<Key, Seen>, monotonicMs: number): void {
  for (const [key, seenMs] of map) {
    if (seenMs === undefined) map.set(key, monotonicMs);
    else if (monotonicMs - seenMs > REMEMBER_MS) map.delete(key);
  }
}
