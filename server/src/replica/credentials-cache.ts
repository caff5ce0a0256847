/** What `/token` needs of a client, loaded on demand, bounded, forgotten when the change log says so. */

import type { ChangeLog } from '../ports/change-log.ts';
import type { ClientCredentials, Position } from '../ports/model.ts';
import { StoreUnavailable } from '../ports/store.ts';

/** Clients held at a time, some 500 bytes each. */
const CACHED_CLIENTS_MAX = 20_000;
/** A load that keeps being overtaken by changes of its own client is given up after this many tries. */
const LOADS_MAX = 5;

export type CredentialsCache = {
  /** What is held of the client at this moment. */
  get(ordinal: number): ClientCredentials | undefined;
  /** Loads the client; callers that ask together share one load. Undefined: the store has no such client. */
  load(ordinal: number): Promise<ClientCredentials | undefined>;
  forget(ordinal: number): void;
  clear(): void;
};

type Load = { stale: boolean; readonly done: Promise<ClientCredentials | undefined> };

export function newCredentialsCache(deps: {
  log: ChangeLog;
  /** How far the replica has applied the log. */
  position: () => Position;
  /** The id of a change that the replica has applied lately. */
  changeIdAt: (sequence: number) => string | undefined;
  /** Applies the log as far as it goes. */
  catchUp: () => Promise<void>;
}): CredentialsCache {
  const held = new Map<number, ClientCredentials>();
  const loads = new Map<number, Load>();

  const keep = (client: ClientCredentials): void => {
    // The oldest goes: a Map keeps its order of insertion.
    if (held.size >= CACHED_CLIENTS_MAX)
      for (const key of held.keys()) {
        held.delete(key);
        break;
      }
    held.set(client.ordinal, client);
  };

  const load = async (ordinal: number): Promise<ClientCredentials | undefined> => {
    for (let tries = 0; tries < LOADS_MAX; tries += 1) {
      const ticket = loads.get(ordinal) as Load;
      ticket.stale = false;
      const { incarnation, head, changeId, client } = await deps.log.loadClient(ordinal);
      const applied = deps.position();
      // Overtaken by an invalidation, read from another store, or from a snapshot older than what is applied: it may hold a
      // dead secret.
      const isForeign = incarnation !== applied.incarnation;
      if (ticket.stale || isForeign || head < applied.sequence) continue;
      // Read from a snapshot that is ahead: it may name what this node has not heard of, such as a new pepper.
      if (head > applied.sequence) await deps.catchUp();
      // Or of a history that a failover has ended, whose numbers were given out again.
      if (ticket.stale || deps.changeIdAt(head) !== changeId) continue;
      if (client !== undefined) keep(client);
      return client;
    }
    throw new StoreUnavailable('a client changed faster than it could be loaded');
  };

  const invalidate = (ordinal: number): void => {
    held.delete(ordinal);
    const running = loads.get(ordinal);
    if (running !== undefined) running.stale = true;
  };

  return {
    get: (ordinal) => held.get(ordinal),
    load: (ordinal) => {
      const running = loads.get(ordinal);
      if (running !== undefined) return running.done;
      const done = Promise.resolve()
        .then(() => load(ordinal))
        .finally(() => loads.delete(ordinal));
      loads.set(ordinal, { stale: false, done });
      return done;
    },
    forget: invalidate,
    clear: () => {
      held.clear();
      for (const running of loads.values()) running.stale = true;
    },
  };
}
