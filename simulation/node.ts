/** A node, put together as the authority puts it together: the real replica, lease, endpoints; store, journal and time simulated. */

import { newOpening } from '../server/src/credentials/opened-tokens.ts';
import type { Authority } from '../server/src/endpoints/context.ts';
import type { Answer, Incoming } from '../server/src/endpoints/exchange.ts';
import { newRefusing } from '../server/src/endpoints/refusing.ts';
import { tokenEndpoint } from '../server/src/endpoints/token.ts';
import { type Verified, verifyToken } from '../server/src/endpoints/verify-token.ts';
import type { ChangeLog, NodeRegistry } from '../server/src/ports/change-log.ts';
import type { Log } from '../server/src/ports/log.ts';
import { type Changes, StoreUnavailable } from '../server/src/ports/store.ts';
import type { newCredentialsCache } from '../server/src/replica/credentials-cache.ts';
import type { Follower, newFollower } from '../server/src/replica/follower.ts';
import { type awaitReceipt, newSightings, type Sightings } from '../server/src/replica/receipt.ts';
import type { newReplica, Replica } from '../server/src/replica/replica.ts';
import { newSubscriptions } from '../server/src/replica/subscriptions.ts';
import { ENVIRONMENT, newKeyRing } from './keys.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { Connection } from './store.ts';

/** The parts of the server under test; a seeded bug hands in others. */
export type Code = {
  readonly newReplica: typeof newReplica;
  readonly newCredentialsCache: typeof newCredentialsCache;
  readonly newFollower: typeof newFollower;
  readonly awaitReceipt: typeof awaitReceipt;
  /** Where a seeded bug can put itself between two parts. Each gives back what it is given when there is none. */
  readonly seams: Seams;
};

export type Seams = {
  readonly log: (log: ChangeLog) => ChangeLog;
  /** The registry as somebody who waits for a receipt sees it. */
  readonly waiter: (nodes: NodeRegistry, ownLeaseMs: number) => NodeRegistry;
  readonly follower: (follower: Follower) => Follower;
  /** The authority as one request sees it. */
  readonly request: (authority: Authority) => Authority;
  readonly pollIntervalMs: number;
  readonly forgetsCredentials: boolean;
};

/** What the journal is like at present. */
export type JournalConditions = { delayMsMax: number; failures: number };

export type Node = {
  readonly name: string;
  readonly machine: Machine;
  readonly leaseMs: number;
  readonly connection: Connection;
  readonly replica: Replica;
  readonly journal: JournalConditions;
  readonly sightings: Sightings;
  mayDecide(): boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
  verify(token: string): Decision | Promise<Decision>;
  issue(client: { clientId: string; secret: string }): Answer | Promise<Answer>;
};

export type Decision = Verified | { readonly reason: string };

export type NodeParts = {
  readonly code: Code;
  readonly machine: Machine;
  readonly connection: Connection;
  readonly leaseMs: number;
  readonly random: Random;
};

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };

export function newNode(parts: NodeParts): Node {
  const { machine, connection, leaseMs } = parts;
  const { seams } = parts.code;
  const journal: JournalConditions = { delayMsMax: 4, failures: 0 };
  const authority = authorityOf(parts, journal);
  const { follower, replica } = authority;
  return {
    name: machine.name,
    machine,
    leaseMs,
    connection,
    replica,
    journal,
    sightings: newSightings(),
    mayDecide: () => follower.mayDecide(),
    start: () => follower.start(),
    stop: () => follower.stop(),
    verify: (token) => verifyToken(seams.request(authority), ENVIRONMENT.ordinal, token),
    issue: (client) => tokenEndpoint(seams.request(authority), ENVIRONMENT)(requestOf(client)),
  };
}

function authorityOf(parts: NodeParts, journal: JournalConditions): Authority {
  const { machine, connection, random } = parts;
  const { seams, ...code } = parts.code;
  const log = seams.log(connection.log);
  const keyRing = newKeyRing();
  const replica = code.newReplica({
    key: (fact, environment) => {
      if (fact.is === 'key') keyRing.add({ ...fact, environment });
    },
    clientChanged: (ordinal) => {
      if (seams.forgetsCredentials) credentials.forget(ordinal);
    },
    reset: () => {
      keyRing.reset();
      credentials.clear();
    },
  });
  const credentials = code.newCredentialsCache({
    log,
    position: () => replica.position,
    changeIdAt: (sequence) => replica.changeIdAt(sequence),
    catchUp: () => follower.catchUp(),
  });
  const follower = seams.follower(followerOf(parts, { log, replica }));
  return {
    replica,
    follower,
    credentials,
    keyRing,
    open: newOpening(),
    journal: {
      append: async () => {
        await machine.clock.sleep(random.next() ** 3 * journal.delayMsMax);
        if (random.chance(journal.failures)) throw new StoreUnavailable('the journal failed');
      },
      close: () => Promise.resolve(),
    },
    changes: connection as unknown as Changes,
    receipt: () => Promise.reject(new Error('receipts are awaited by operators')),
    admission: { waitMs: () => 0, failed: () => {} },
    refusing: newRefusing({ key: () => undefined, clock: machine.clock, log: SILENT }),
    leaks: { hasRoom: () => true, take: () => {}, tick: async () => {}, stop: async () => {} },
    reportAdmission: { waitMs: () => 0, isSpent: () => false },
    directory: { secretsByMac: async () => [] },
    background: { run: () => {} },
    secretMoves: { used: () => {} },
    quotas: { take: () => 'within', share: () => Promise.resolve(), stop: () => Promise.resolve() },
    secretUses: { used: () => {}, stop: () => Promise.resolve() },
    subscriptions: newSubscriptions({
      replica: () => replica,
      clock: machine.clock,
      randomness: random,
      grantMs: () => 0,
      onSettled: () => {},
    }),
    subscriberRow: {
      ensure: () => Promise.resolve(),
      remainingMs: () => 0,
      acknowledgeSoon: () => {},
      reset: () => {},
      stop: () => Promise.resolve(),
    },
    recordChecks: { verified: () => {}, stop: () => Promise.resolve() },
    clock: machine.clock,
    randomness: random,
    log: SILENT,
  };
}

function followerOf(parts: NodeParts, by: { log: ChangeLog; replica: Replica }): Follower {
  const { code, machine, connection, leaseMs } = parts;
  return code.newFollower(
    {
      ...by,
      nodes: connection.nodes,
      clock: machine.clock,
      node: { node: machine.name, version: '1', listen: '-', process: '-' },
      // A failed exchange is what a history is made of; the checker sees what comes of it.
      onFailure: () => {},
    },
    { leaseMs, pollIntervalMs: code.seams.pollIntervalMs },
  );
}

function requestOf(client: { clientId: string; secret: string }): Incoming {
  return {
    requestId: '-',
    address: '192.0.2.1',
    query: '',
    authorization: [],
    contentType: 'application/x-www-form-urlencoded',
    body: Buffer.from(
      `grant_type=client_credentials&client_id=${client.clientId}&client_secret=${client.secret}`,
    ),
  };
}
