/**
 * The authority inside another service's process: a node that verifies tokens and does nothing else. It has a row and a lease like
 * every node, so that receipts wait for it; it issues nothing, listens nowhere and makes no store.
 */

import { type Env, readConfig } from './config.ts';
import { systemRandomness } from './credentials/random.ts';
import { openData } from './database.ts';
import { type Identified, newIdentify, type Question } from './endpoints/identify.ts';
import { newRecordChecks } from './endpoints/record-checks.ts';
import { newFollowing, rowOf } from './following.ts';
import type { Log } from './ports/log.ts';
import { OPERATORS } from './ports/model.ts';
import { systemClock } from './system-clock.ts';

export type InProcessOptions = {
  /** Environment whose tokens are judged: `production`. */
  readonly environment: string;
  /** Names the service in `countersign nodes`: 1 to 64 of a-z, A-Z, 0-9, dot, hyphen, underscore. */
  readonly service: string;
  /**
   * Where the store and its master key are, under the names that a server reads: `process.env`, or an object with
   * COUNTERSIGN_DATA or COUNTERSIGN_DATABASE_URL and the like.
   */
  readonly settings: Env;
  /** Told what goes wrong, without a token or a secret; a pino logger will do. */
  readonly log: Log;
};

export type InProcessAuthority = {
  /** Issuer of the environment. */
  readonly issuer: string;
  /** Name of this node, as receipts list it. */
  readonly node: string;
  /** What a token is worth now: at once, unless the token is newer than what is known here. Never throws. */
  readonly introspect: (question: Question) => Identified | Promise<Identified>;
  /** Decides no more, leaves the registry and closes the store. */
  readonly close: () => Promise<void>;
};

const SERVICE = /^[A-Za-z0-9._-]{1,64}$/;

/** Opens the store of a running authority, and resolves once this process may decide. */
export async function openAuthority(options: InProcessOptions): Promise<InProcessAuthority> {
  const { service, settings, log } = options;
  if (!SERVICE.test(service)) {
    throw new TypeError('service: expected 1 to 64 of a-z, A-Z, 0-9, dot, hyphen and underscore');
  }
  const clock = systemClock;
  const randomness = systemRandomness();
  const config = readConfig({ flags: {}, env: settings });
  // A service that is deployed before its servers would bring the schema up to date under them.
  const { store, journal, masterKey } = await openData(
    { ...config, migrations: 'off' },
    {
      ...{ clock, randomness, actor: `in-process:${service}`, mustExist: true },
      tell: (message) => log.warn({ cause: message }, 'not deciding yet'),
    },
  );
  const { node } = store.takeNode();
  const following = newFollowing({
    ...{ nodes: store.nodes, log: store.log, clock, masterKey, leaseMs: config.leaseMs },
    node: rowOf(node, `in process: ${service}`),
    onFailure: (step, error) =>
      log.error({ step, cause: (error as Error).message }, 'no news from the store'),
  });
  const { replica, follower } = following;
  const recordChecks = newRecordChecks({
    journal: journal.reader,
    clientIdOf: (ordinal) => replica.clients.clientId(ordinal),
    delayMs: journal.indexedAfterMs,
    ...{ clock, randomness, log },
  });
  const close = async (): Promise<void> => {
    await recordChecks.stop();
    // The row of a process that cannot say goodbye is written off when its lease is over.
    await follower
      .stop()
      .catch((error: Error) => log.warn({ cause: error.message }, 'the registry was not left'));
    await store.close();
  };
  try {
    await follower.start();
    const environment = environmentIn(replica.environments(), options.environment);
    const parts = { ...following, recordChecks, clock };
    const identify = newIdentify(parts, environment.ordinal);
    return { node, issuer: environment.issuer, introspect: identify, close: once(close) };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

/** Operators' tokens are for the admin API alone. */
function environmentIn<E extends { readonly name: string }>(all: readonly E[], wanted: string): E {
  const open = all.filter(({ name }) => name !== OPERATORS.environment);
  const found = open.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = open.map(({ name }) => name).join(', ');
  throw new TypeError(`environment: there is no such one; there are ${names}`);
}

/** Closing twice is closing once: both a signal's handler and a framework's hook may do it. */
function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= close();
    return closing;
  };
}
