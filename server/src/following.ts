/**
 * What every process that decides over tokens consists of: a replica with its keys and credentials, and the follower that keeps it
 * abreast under a lease. Knows no endpoint, no listener and no engine.
 */

import { hostname } from 'node:os';
import { KeyRing } from './credentials/key-ring.ts';
import type { MasterKey } from './credentials/key-wrapping.ts';
import { newOpening, type Open } from './credentials/opened-tokens.ts';
import type { ChangeLog, LoggedChange } from './ports/change-log.ts';
import { type CredentialsCache, newCredentialsCache } from './replica/credentials-cache.ts';
import {
  FOLLOWER_DEFAULTS,
  type Follower,
  type FollowerDeps,
  newFollower,
} from './replica/follower.ts';
import { newReplica, type Replica } from './replica/replica.ts';
import { VERSION } from './version.ts';

export type Following = {
  readonly replica: Replica;
  readonly keyRing: KeyRing;
  readonly open: Open;
  readonly credentials: CredentialsCache;
  readonly follower: Follower;
};

/** How this process stands in the registry of nodes. */
export function rowOf(node: string, listen: string): FollowerDeps['node'] {
  return { node, version: VERSION, listen, process: `${process.pid}@${hostname()}` };
}

/** The parts, wired; nothing is read before the follower is started. */
export function newFollowing(
  parts: Omit<FollowerDeps, 'log' | 'replica'> & {
    readonly log: ChangeLog;
    readonly masterKey: MasterKey;
    readonly leaseMs: number;
    /** Everything is loaded anew. */
    readonly onReset?: () => void;
    readonly onChanged?: (change: LoggedChange) => void;
  },
): Following {
  const { masterKey, leaseMs, onReset, onChanged, ...deps } = parts;
  const keyRing = new KeyRing(masterKey);
  const replica = newReplica({
    key: (fact, environment) => {
      if (fact.is === 'key') return keyRing.add({ ...fact, environment });
      keyRing.retire(fact);
      // What is cached may still hold hashes under it, of secrets that have moved on: it must be loaded anew.
      if (fact.purpose === 'secret') credentials.clear();
    },
    clientChanged: (ordinal) => credentials.forget(ordinal),
    reset: () => {
      keyRing.reset();
      credentials.clear();
      onReset?.();
    },
    changed: (change) => onChanged?.(change),
  });
  const credentials = newCredentialsCache({
    log: deps.log,
    position: () => replica.position,
    changeIdAt: (sequence) => replica.changeIdAt(sequence),
    catchUp: () => follower.catchUp(),
  });
  const follower = newFollower({ ...deps, replica }, { ...FOLLOWER_DEFAULTS, leaseMs });
  return { replica, keyRing, open: newOpening(), credentials, follower };
}
