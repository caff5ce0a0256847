/** How a node learns what decides over tokens: one ordered log, followed by polling, and the lease that goes with it. */

import type { ClientCredentials, ClientState, KeyPurpose, Position } from './model.ts';

/** A fact of the replica that a change sets. Facts are absolute, so applying one twice is harmless. */
export type Fact =
  | {
      readonly is: 'environment';
      readonly ordinal: number;
      readonly name: string;
      readonly tag: string;
      readonly issuer: string;
      readonly generation: number;
    }
  | {
      readonly is: 'program';
      readonly ordinal: number;
      readonly programId: string;
      readonly generation: number;
      readonly suspended: boolean;
    }
  | {
      /** Also tells every cache to forget what it knows of the client. */
      readonly is: 'client';
      readonly ordinal: number;
      readonly clientId: string;
      readonly program: number;
      readonly environment: number;
      readonly generation: number;
      readonly state: ClientState;
      readonly resourceServer: boolean;
      /** Its tokens are good from its own addresses only. Facts of earlier versions leave it out. */
      readonly verifyAddress?: boolean;
    }
  | {
      readonly is: 'secret';
      readonly ordinal: number;
      readonly client: number;
      /** The tokens it minted are dead too. */
      readonly killed: boolean;
    }
  | {
      readonly is: 'revoked-token';
      readonly jti: string;
      readonly client: number;
    }
  | {
      readonly is: 'scope';
      readonly environment: number;
      readonly number: number;
      readonly name: string;
    }
  | {
      readonly is: 'scope-set';
      readonly environment: number;
      readonly id: number;
      /** Canonical scope string: names sorted, one space between them. */
      readonly scope: string;
    }
  | {
      readonly is: 'resource';
      readonly environment: number;
      readonly number: number;
      readonly uri: string;
    }
  | {
      readonly is: 'key';
      readonly purpose: KeyPurpose;
      readonly environment: number;
      readonly version: number;
      /** The root key, wrapped under the master key. Base64url. */
      readonly wrapped: string;
    }
  | {
      /** The key opens nothing and compares nothing any more, and its version is never given out again. */
      readonly is: 'key-retired';
      readonly purpose: KeyPurpose;
      readonly environment: number;
      readonly version: number;
    }
  /** A policy that somebody has set. The name may be one that only a newer version knows. */
  | { readonly is: 'policy'; readonly name: string; readonly value: string };

export type LoggedChange = {
  readonly sequence: number;
  readonly changeId: string;
  readonly facts: readonly Fact[];
};

/** Everything a replica holds, as of one position. */
export type Snapshot = { readonly position: Position; readonly facts: Iterable<Fact> };

export type Poll = {
  /** The store's incarnation and the random id of the change at the asked-for sequence, from the same snapshot. */
  readonly incarnation: string;
  readonly changeIdAtAfter: string | undefined;
  readonly head: number;
  /** In order, without a gap, starting at after + 1. At most a bounded number; more when the last is below `head`. */
  readonly changes: readonly LoggedChange[];
};

export type ChangeLog = {
  /** Calls `take` once, synchronously, while one snapshot of the store is held; it must not keep `facts`. */
  snapshot<T>(take: (snapshot: Snapshot) => T): Promise<T>;
  /** Reads the changes after `after`. Never extends a lease. */
  poll(after: number): Promise<Poll>;
  /** What `/token` needs of one client, with the log's head in the same snapshot. */
  loadClient(ordinal: number): Promise<{
    readonly incarnation: string;
    readonly head: number;
    /** Id of the change at the head, '' at 0. */
    readonly changeId: string;
    readonly client: ClientCredentials | undefined;
  }>;
  /** Calls `wake` when the log may have grown; a hint only, polling is the floor. Returns how to stop. */
  watch(wake: () => void): () => void;
};

export type NodeRow = {
  readonly node: string;
  readonly leaseMs: number;
  /** Rises by chance with each renewal, and so never comes back to where it was, not even when a failover lost renewals. */
  readonly renewals: number;
  readonly appliedSequence: number;
  readonly startedAtMs: number;
  readonly renewedAtMs: number;
  readonly version: string;
  readonly listen: string;
  readonly process: string;
};

/** Begins the name of a row that stands for nodes which a promoted or restored store does not know; no machine's name can. */
export const LOST_NODES = 'lost:';

/** Begins the name of a row that stands for the subscribers of a node: they outlive its process by their own lease. */
export const SUBSCRIBERS = 'subscribers:';

/** Clocks of two machines may differ in rate by this much, and a node may be slow to notice. */
const RATE_MARGIN = 0.01;
const MARGIN_MS = 1_000;

/** How long a row must have been seen not to renew until its node, whatever became of it, decides no more. */
export function writeOffAfterMs(leaseMs: number): number {
  return leaseMs * (1 + RATE_MARGIN) + MARGIN_MS;
}

/**
 * One change of the log: its number, and its random id, since a failover that lost changes gives numbers out again. As the store
 * tells the id only of what is committed, whoever knows it knows that.
 */
export type ChangeRef = Pick<Position, 'sequence' | 'changeId'>;

/** The nodes that decide: who they are, how far they are, and how long each may go on without news. */
export type NodeRegistry = {
  /** Puts a live row in the registry and commits it. Must precede the poll from which a lease is counted. */
  register(
    node: Pick<NodeRow, 'node' | 'leaseMs' | 'version' | 'listen' | 'process'>,
  ): Promise<void>;
  /**
   * Renews the node's row in a committed write, acknowledges on the way, and polls in the same transaction; undefined: the row is
   * gone.
   */
  renew(node: string, applied: ChangeRef): Promise<Poll | undefined>;
  /** Records how far the node has applied the log; nothing, if the store's change of that number is another one. */
  acknowledge(node: string, applied: ChangeRef): Promise<void>;
  /** Takes the node's row away; the node has stopped deciding before it calls this. */
  leave(node: string): Promise<void>;
  list(): Promise<readonly NodeRow[]>;
  /**
   * The nodes, told by a store that has this very change; undefined: it has not, and so does not know the nodes that decide after
   * it. Such is an old primary that still answers after a failover, or a new one that gave the number to another change.
   */
  listAfter(change: ChangeRef): Promise<readonly NodeRow[] | undefined>;
  /** Writes a node off if its renewal counter is still `renewals`. True: it may never decide again on that row. */
  fence(node: string, renewals: number): Promise<boolean>;
  /** Whether the node's process is known to be gone (its lock is free). False when that cannot be told. */
  isDead(node: string): Promise<boolean>;
};
