/** Connections to PostgreSQL: few, each exchange with a deadline, and none used again whose state is unknown. Knows no query. */

import { isIP } from 'node:net';
import type pg from 'pg';
import type { Randomness } from '../../ports/clock.ts';
import { StoreUnavailable } from '../../ports/store.ts';
import { driver } from './driver.ts';
import { asOutage, isAnswer, isUnconfirmed } from './outage.ts';

/**
 * No time-out of the server ends a commit that waits for a standby, so the client has one of its own: past it the connection is
 * destroyed and the outcome unknown.
 */
const EXCHANGE_MS_MAX = 5_000;
/** For a free connection or a new one. */
const CONNECT_MS_MAX = 3_000;
const IDLE_MS_MAX = 30_000;
/** Who waits for a connection; operators are few, so a longer queue means that the database has stopped. */
const WAITING_MAX = 2_000;
/** After a failed connection the next is tried no sooner: many nodes must not all knock at once when the database returns. */
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1_000;

/** The system's own is two hours: a connection that is idle that long may be dead for most of it. */
const KEEP_ALIVE_AFTER_MS = 10_000;

const INT8 = 20;

export type Row = Record<string, unknown>;
export type Session = {
  /** One statement with parameters, never a named one: those do not survive a pooler. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Several statements in one message, without parameters: the server runs them without hearing from us again. */
  script(text: string): Promise<readonly (readonly Row[])[]>;
};

export type Connections = {
  /** Lends a connection. What `body` has not committed when it fails is rolled back. */
  use<T>(body: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

export type ConnectionOptions = {
  readonly databaseUrl: string;
  readonly connectionsMax: number;
  readonly randomness: Randomness;
  readonly exchangeMsMax?: number;
  readonly connectMsMax?: number;
};

/** The settings of one connection: TLS unless it stays on this machine, numbers as numbers. */
export function clientConfigOf(databaseUrl: string): pg.ClientConfig {
  const { types } = driver();
  return {
    connectionString: withTls(databaseUrl),
    application_name: 'countersign',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  };
}

export function openConnections(options: ConnectionOptions): Connections {
  const { connectionsMax, randomness, exchangeMsMax = EXCHANGE_MS_MAX } = options;
  const { connectMsMax = CONNECT_MS_MAX } = options;
  const { Pool } = driver();
  const pool = new Pool({
    ...clientConfigOf(options.databaseUrl),
    max: connectionsMax,
    connectionTimeoutMillis: connectMsMax,
    idleTimeoutMillis: IDLE_MS_MAX,
  });
  // An idle connection that breaks is replaced when the next one is asked for.
  pool.on('error', () => {});
  const backoff = newBackoff(randomness);
  const connect = async (): Promise<pg.PoolClient> => {
    if (pool.waitingCount >= WAITING_MAX)
      throw new StoreUnavailable('too many wait for the database');
    if (pool.idleCount === 0 && pool.totalCount === 0) backoff.check();
    try {
      const client = await pool.connect();
      backoff.succeeded();
      return client;
    } catch (error) {
      backoff.failed();
      throw asOutage(error);
    }
  };
  return {
    use: async (body) => lend(await connect(), body, exchangeMsMax),
    close: () => pool.end(),
  };
}

async function lend<T>(
  client: pg.PoolClient,
  body: (session: Session) => Promise<T>,
  msMax: number,
): Promise<T> {
  let unconfirmed = false;
  const notice = (message: { code?: string | undefined }): void => {
    unconfirmed ||= isUnconfirmed(message);
  };
  // Without a listener an error between two queries would end the process; the next query tells of it.
  const broken = (): void => {};
  client.on('notice', notice).on('error', broken);
  let reusable = false;
  try {
    const value = await body(sessionOf(client, msMax));
    if (unconfirmed) throw new StoreUnavailable('a standby has not confirmed the commit');
    reusable = true;
    return value;
  } catch (error) {
    reusable = isAnswer(error) && (await rolledBack(client, msMax));
    throw asOutage(error);
  } finally {
    client.off('notice', notice).off('error', broken);
    client.release(!reusable);
  }
}

function sessionOf(client: pg.PoolClient, msMax: number): Session {
  return {
    query: async (text, values = []) =>
      (await within(msMax, client.query<Row>(text, [...values]))).rows,
    script: async (text) => {
      const results: unknown = await within(msMax, client.query(text));
      return (Array.isArray(results) ? results : [results]).map(
        (result: pg.QueryResult<Row>) => result.rows,
      );
    },
  };
}

function rolledBack(client: pg.PoolClient, msMax: number): Promise<boolean> {
  return within(msMax, client.query('rollback')).then(
    () => true,
    () => false,
  );
}

async function within<T>(msMax: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new StoreUnavailable('the database did not answer in time: the outcome is unknown'));
  }, msMax);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Backoff = { check(): void; succeeded(): void; failed(): void };

function newBackoff(randomness: Randomness): Backoff {
  let failures = 0;
  let untilMs = 0;
  return {
    check: () => {
      if (performance.now() < untilMs) {
        throw new StoreUnavailable('the database cannot be reached; it is tried again in a moment');
      }
    },
    succeeded: () => {
      failures = 0;
    },
    failed: () => {
      const fullMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** failures);
      const jitter = (randomness.bytes(1)[0] ?? 0) / 255;
      untilMs = performance.now() + fullMs * (0.5 + jitter / 2);
      failures += 1;
    },
  };
}

/**
 * TLS with a verified certificate is the default for every host but this machine, as the wrapped keys and all identifiers travel
 * here. Modes that would skip the verification have to say so: `no-verify`, `disable`.
 */
function withTls(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const mode = url.searchParams.get('sslmode');
  const isLocal = url.hostname === '' || isLoopback(url.hostname);
  if (mode === null && isLocal) return databaseUrl;
  const asGiven = mode === 'disable' || mode === 'no-verify';
  if (!asGiven) url.searchParams.set('sslmode', 'verify-full');
  return url.href;
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
