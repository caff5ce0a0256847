/** A real `countersign serve` as a child process, for tests of what several processes do on one store. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const START_MS_MAX = 20_000;

export type RunningServer = {
  readonly url: string;
  readonly adminUrl: string;
  readonly process: ChildProcess;
  /** Everything it has written so far, both streams. */
  readonly output: () => string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

type Options = {
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  /** Certificate file of a server that speaks HTTPS. */
  readonly certificate?: string;
};

/** Between the moment a port is found free and the moment the server listens there, another test may take it. */
const STARTS_MAX = 3;
const PORT_TAKEN = /another process listens there/;

/** Starts a server on free ports and waits until it is ready. */
export async function startServer(data: string, options: Options = {}): Promise<RunningServer> {
  for (let starts = 1; ; starts += 1) {
    const server = await spawnServer(data, options);
    if (await isUp(server, options.certificate)) return server;
    await server.stop('SIGKILL');
    if (starts < STARTS_MAX && PORT_TAKEN.test(server.output())) continue;
    throw new Error(`the server did not start:\n${server.output()}`);
  }
}

async function spawnServer(data: string, options: Options): Promise<RunningServer> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`];
  const child = spawn(
    process.execPath,
    [MAIN, ...args, '--admin-listen', `127.0.0.1:${adminPort}`, ...(options.args ?? [])],
    { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      written += text;
    });
  }
  const exited = once(child, 'exit');
  const scheme = options.certificate === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    adminUrl: `${scheme}://127.0.0.1:${adminPort}`,
    process: child,
    output: () => written,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}

/** Waits until it is ready; false when it has ended, or takes too long. */
async function isUp(server: RunningServer, certificate?: string): Promise<boolean> {
  const deadlineMs = performance.now() + START_MS_MAX;
  while (performance.now() < deadlineMs) {
    if (await isReady(`${server.url}/health/ready`, certificate)) return true;
    if (server.process.exitCode !== null) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

async function isReady(url: string, certificate: string | undefined): Promise<boolean> {
  if (certificate !== undefined) {
    return spawnSync('curl', ['-sf', '--cacert', certificate, url]).status === 0;
  }
  return (await fetch(url).catch(() => undefined))?.status === 200;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
