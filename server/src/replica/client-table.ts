/**
 * Every client in typed arrays, by ordinal: some 40 bytes each, and an index from client_id to ordinal that is as plain.
 * It holds what verification needs and no secret.
 */

import type { Fact } from '../ports/change-log.ts';
import type { ClientState } from '../ports/model.ts';

/** The random part of a client_id; what stands before it is the same for a whole environment. */
const ID_LENGTH = 16;
const STATES: readonly ClientState[] = ['active', 'suspended', 'deleted'];

type ClientFact = Omit<Extract<Fact, { is: 'client' }>, 'is'>;

export type ClientTable = {
  /** The highest ordinal it knows. */
  readonly lastOrdinal: number;
  set(client: ClientFact): void;
  has(ordinal: number): boolean;
  program(ordinal: number): number;
  environment(ordinal: number): number;
  generation(ordinal: number): number;
  state(ordinal: number): ClientState;
  isResourceServer(ordinal: number): boolean;
  /** Whether its tokens are good from its own addresses only. */
  verifiesAddress(ordinal: number): boolean;
  clientId(ordinal: number): string;
  /** The ordinal of a client_id, or undefined. Deleted clients are found too. */
  find(clientId: string): number | undefined;
  clear(): void;
};

export function newClientTable(): ClientTable {
  let capacity = 1_024;
  let programs = new Uint32Array(capacity);
  let generations = new Uint32Array(capacity);
  /** Environment ordinal; 0 where there is no client. */
  let environments = new Uint16Array(capacity);
  /** State in the low bits, `resourceServer` in bit 4, `verifyAddress` in bit 5. */
  let flags = new Uint8Array(capacity);
  let ids = Buffer.alloc(capacity * ID_LENGTH);
  /** Open addressing, linear probing, at most half full; 0 is free. */
  let index = new Uint32Array(capacity * 2);
  /** `client_test_` and the like, by environment. */
  let prefixes: string[] = [];
  let lastOrdinal = 0;

  const grow = (ordinal: number): void => {
    while (capacity <= ordinal) capacity *= 2;
    programs = copyInto(new Uint32Array(capacity), programs);
    generations = copyInto(new Uint32Array(capacity), generations);
    environments = copyInto(new Uint16Array(capacity), environments);
    flags = copyInto(new Uint8Array(capacity), flags);
    ids = copyInto(Buffer.alloc(capacity * ID_LENGTH), ids);
    index = new Uint32Array(capacity * 2);
    for (let known = 1; known <= lastOrdinal; known += 1) if (has(known)) addToIndex(known);
  };
  const has = (ordinal: number): boolean => (environments[ordinal] ?? 0) !== 0;
  const idOf = (ordinal: number): string =>
    ids.toString('latin1', ordinal * ID_LENGTH, (ordinal + 1) * ID_LENGTH);
  const addToIndex = (ordinal: number): void => {
    let slot = hashOf(idOf(ordinal)) & (index.length - 1);
    while (index[slot] !== 0) slot = (slot + 1) & (index.length - 1);
    index[slot] = ordinal;
  };
  const clientId = (ordinal: number): string =>
    `${prefixes[environments[ordinal] ?? 0] ?? ''}${idOf(ordinal)}`;

  /** Compares where the id stands: to write it out first would cost more than the whole look-up. */
  const isIdOf = (ordinal: number, wanted: string): boolean => {
    const prefix = prefixes[environments[ordinal] ?? 0] ?? '';
    if (wanted.length !== prefix.length + ID_LENGTH || !wanted.startsWith(prefix)) return false;
    const start = ordinal * ID_LENGTH;
    for (let at = 0; at < ID_LENGTH; at += 1) {
      if (ids[start + at] !== wanted.charCodeAt(prefix.length + at)) return false;
    }
    return true;
  };

  return {
    get lastOrdinal() {
      return lastOrdinal;
    },
    set: (client) => {
      const { ordinal } = client;
      if (ordinal >= capacity) grow(ordinal);
      const isNew = !has(ordinal);
      programs[ordinal] = client.program;
      generations[ordinal] = client.generation;
      environments[ordinal] = client.environment;
      flags[ordinal] =
        STATES.indexOf(client.state) |
        (client.resourceServer ? 16 : 0) |
        (client.verifyAddress === true ? 32 : 0);
      lastOrdinal = Math.max(lastOrdinal, ordinal);
      if (!isNew) return;
      prefixes[client.environment] = client.clientId.slice(0, -ID_LENGTH);
      ids.write(client.clientId.slice(-ID_LENGTH), ordinal * ID_LENGTH, ID_LENGTH, 'latin1');
      addToIndex(ordinal);
    },
    has,
    program: (ordinal) => programs[ordinal] ?? 0,
    environment: (ordinal) => environments[ordinal] ?? 0,
    generation: (ordinal) => generations[ordinal] ?? 0,
    state: (ordinal) => STATES[(flags[ordinal] ?? 0) & 15] ?? 'deleted',
    isResourceServer: (ordinal) => ((flags[ordinal] ?? 0) & 16) !== 0,
    verifiesAddress: (ordinal) => ((flags[ordinal] ?? 0) & 32) !== 0,
    clientId,
    find: (wanted) => {
      let slot = hashOf(wanted.slice(-ID_LENGTH)) & (index.length - 1);
      for (;;) {
        const ordinal = index[slot] ?? 0;
        if (ordinal === 0) return undefined;
        if (isIdOf(ordinal, wanted)) return ordinal;
        slot = (slot + 1) & (index.length - 1);
      }
    },
    clear: () => {
      environments.fill(0);
      index.fill(0);
      prefixes = [];
      lastOrdinal = 0;
    },
  };
}

function copyInto<Array extends { set(from: Array): void }>(to: Array, from: Array): Array {
  to.set(from);
  return to;
}

/** FNV-1a. Ids are the authority's own randomness, so nobody can choose them to collide. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
