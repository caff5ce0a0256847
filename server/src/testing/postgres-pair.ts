/** A PostgreSQL primary and its streaming standby, each a real cluster, with the way between them open to faults. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
import {
  copyOfBinaries,
  freePort,
  initialiseCluster,
  SETTINGS,
  unprivilegedUser,
  waitUntilReady,
} from './postgres.ts';

const WAIT_MS_MAX = 20_000;
const LAST_LINES = 60;
const NAME = 'countersign';
/** What a new cluster has: a standby may not have fewer than its primary ever had. */
const SENDERS = { max_wal_senders: '10' };

type Rows = readonly Record<string, unknown>[];
export type Server = {
  readonly port: number;
  /** The test's database there, as the role that owns it. */
  readonly url: string;
  /** Runs one statement as superuser in the test's database. */
  ask(statement: string): Promise<Rows>;
  /** Waits until the statement answers with one true value. */
  until(statement: string): Promise<void>;
  /** The end of what it has logged. */
  lastLines(): string;
  /** Ends it at once and in no order, as a crash does. */
  kill(): Promise<void>;
};

export type PostgresPair = {
  readonly primary: Server;
  readonly standby: Server;
  /** The way by which the standby follows. */
  readonly replication: FaultyProxy;
  /** Waits until the standby has all that the primary has committed so far. */
  caughtUp(): Promise<void>;
  /** From now on the primary confirms no commit that the standby has not on its disk, and the store there has noticed. */
  synchronise(): Promise<void>;
  promote(): Promise<void>;
  stop(): Promise<void>;
};

/** Prepares what the pairs of one test file share; the function it returns starts one. Or says why that is impossible here. */
export async function preparePairs(): Promise<(() => Promise<PostgresPair>) | string> {
  const home = mkdtempSync(join(tmpdir(), 'countersign-pairs-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  try {
    const user = unprivilegedUser();
    const { initdb, postgres } = await copyOfBinaries(home);
    chmodSync(home, 0o755);
    const empty = join(home, 'empty');
    mkdirSync(empty, { mode: 0o700 });
    if (user !== undefined) chownSync(empty, user.uid, user.gid);
    initialiseCluster(initdb, empty, user);
    let made = 0;
    const copyOfEmpty = (): string => {
      made += 1;
      const data = join(home, `data-${made}`);
      const { status, stderr } = spawnSync('cp', ['-a', empty, data], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      return data;
    };
    const start = (data: string, settings: Record<string, string>): Promise<Server> =>
      startServer(postgres, { data, settings, user });
    return () => startPair(copyOfEmpty, start);
  } catch (error) {
    return `PostgreSQL cannot be started here: ${(error as Error).message}`;
  }
}

async function startPair(
  copyOfEmpty: () => string,
  start: (data: string, settings: Record<string, string>) => Promise<Server>,
): Promise<PostgresPair> {
  const primary = await start(copyOfEmpty(), {});
  const replication = await startFaultyProxy(primary.port);
  const follower = copyOfEmpty();
  writeFileSync(join(follower, 'standby.signal'), '');
  const from = `host=127.0.0.1 port=${replication.port} user=postgres application_name=standby`;
  const standby = await start(follower, { primary_conninfo: from });
  await onServer(primary.port, 'postgres', `create role ${NAME} login`);
  await onServer(primary.port, 'postgres', `create database ${NAME} owner ${NAME}`);
  const caughtUp = async (): Promise<void> => {
    const [row] = await primary.ask('select pg_current_wal_flush_lsn()::text as at');
    await primary.until(`select replay_lsn >= '${row?.['at']}' from pg_stat_replication`);
  };
  await caughtUp();
  return {
    primary,
    standby,
    replication,
    caughtUp,
    synchronise: async () => {
      await primary.ask("alter system set synchronous_standby_names = 'standby'");
      await primary.ask('select pg_reload_conf()');
      await primary.until("select sync_state = 'sync' from pg_stat_replication");
      // A renewal notices it: one that came after the promotion would count that as asynchronous.
      await standby.until('select synchronous = 1 from origin');
    },
    promote: async () => {
      await standby.ask('select pg_promote()');
    },
    stop: async () => {
      await Promise.all([primary.kill(), standby.kill(), replication.close()]);
    },
  };
}

async function startServer(
  postgres: string,
  at: {
    data: string;
    settings: Record<string, string>;
    user: ReturnType<typeof unprivilegedUser>;
  },
): Promise<Server> {
  const { data, user } = at;
  const port = await freePort();
  const settings = Object.entries({ ...SETTINGS, ...SENDERS, ...at.settings });
  const options = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = `${data}.log`;
  const output = openSync(log, 'a');
  const server = spawn(postgres, ['-D', data, '-p', String(port), ...options], {
    ...user,
    cwd: data,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  // A test that fails before it stops them must still end.
  server.unref();
  process.once('exit', () => server.kill('SIGQUIT'));
  await waitUntilReady(server, port);
  const ask: Server['ask'] = (statement) => onServer(port, NAME, statement);
  return {
    port,
    url: `postgres://${NAME}@127.0.0.1:${port}/${NAME}`,
    ask,
    until: async (statement) => {
      const deadlineMs = performance.now() + WAIT_MS_MAX;
      while (!(await ask(statement)).some((row) => Object.values(row)[0] === true)) {
        assert.ok(performance.now() < deadlineMs, `still not true: ${statement}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    lastLines: () => readFileSync(log, 'utf8').split('\n').slice(-LAST_LINES).join('\n'),
    kill: () => end(server),
  };
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.ref();
  const exited = once(server, 'exit');
  server.kill('SIGQUIT');
  await exited;
}

async function onServer(port: number, database: string, statement: string): Promise<Rows> {
  const client = new pg.Client(`postgres://postgres@127.0.0.1:${port}/${database}`);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
