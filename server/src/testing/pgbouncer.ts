/** A real PgBouncer in transaction mode before a test's PostgreSQL: each transaction may run on another connection of few. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, unprivilegedUser, untilItAnswers } from './postgres.ts';

/** Where Debian puts it, which is not on everybody's path. */
const PROGRAM = '/usr/sbin/pgbouncer';

export type TestPooler = {
  /** The same database, by way of the pooler. */
  readonly url: string;
  stop(): Promise<void>;
};

export function isPoolerInstalled(): boolean {
  return spawnSync(PROGRAM, ['--version']).status === 0;
}

export async function startPooler(databaseUrl: string): Promise<TestPooler> {
  const home = mkdtempSync(join(tmpdir(), 'countersign-pooler-'));
  chmodSync(home, 0o755);
  const { port: databasePort, username } = new URL(databaseUrl);
  const port = await freePort();
  const users = join(home, 'users');
  writeFileSync(users, `"${username}" ""\n`);
  const file = join(home, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
* = host=127.0.0.1 port=${databasePort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 6
max_client_conn = 200
`,
  );
  const pooler = spawn(PROGRAM, ['--quiet', file], { ...unprivilegedUser(), stdio: 'ignore' });
  const kill = (): void => {
    pooler.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  };
  process.once('exit', kill);
  const url = new URL(databaseUrl);
  url.port = String(port);
  await untilItAnswers(pooler, url.href);
  return {
    url: url.href,
    stop: async () => {
      process.off('exit', kill);
      kill();
      if (pooler.exitCode === null && pooler.signalCode === null) await once(pooler, 'exit');
    },
  };
}
