/** A real gateway of the system with its shipped configuration, filled in for a test. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type GatewayProgram = {
  readonly name: string;
  /** Where Debian puts it, which is not on everybody's path. */
  readonly path: string;
  readonly configuration: string;
  readonly args: (file: string, folder: string) => readonly string[];
};

export const NGINX: GatewayProgram = {
  name: 'nginx',
  path: '/usr/sbin/nginx',
  configuration: 'nginx.conf',
  args: (file, folder) => ['-c', file, '-p', folder, '-g', 'daemon off;'],
};

export const CADDY: GatewayProgram = {
  name: 'caddy',
  path: '/usr/bin/caddy',
  configuration: 'Caddyfile',
  args: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
};

export type Gateway = { readonly port: number; readonly stop: () => Promise<void> };

const START_MS_MAX = 20_000;

/** Why this gateway cannot be tested here; undefined: it can. With `CI` set a missing one fails. */
export function missing({ name, path }: GatewayProgram): string | undefined {
  const { error } = spawnSync(path, ['-v'], { stdio: 'ignore' });
  if (error === undefined) return undefined;
  const why = `${name} is not installed: apt-get install ${name}`;
  if (process.env['CI']) throw new Error(why);
  return why;
}

/** Starts the gateway with its shipped configuration, in which `values` take the place of what stands in `${…}`. */
export async function startGateway(
  program: GatewayProgram,
  values: Readonly<Record<string, string>>,
): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), `countersign-${program.name}-`));
  await chmod(folder, 0o777);
  const port = await freePort();
  const filled = { ...values, LISTEN: `127.0.0.1:${port}`, PORT: String(port), RUN: folder };
  const template = await readFile(
    join(import.meta.dirname, '../gateways', program.configuration),
    'utf8',
  );
  const configuration = template.replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = (filled as Record<string, string>)[name];
    if (value === undefined) throw new Error(`${program.configuration} wants ${name}`);
    return value;
  });
  const file = join(folder, program.configuration);
  await writeFile(file, configuration);
  const child = spawn(program.path, program.args(file, folder), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: folder },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said = (said + String(chunk)).slice(-4_000);
    });
  }
  await answers(port, child, () => said);
  return {
    port,
    stop: async () => {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number, child: ChildProcess, said: () => string): Promise<void> {
  const deadline = Date.now() + START_MS_MAX;
  while (!(await canConnect(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`the gateway did not start:\n${said()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
