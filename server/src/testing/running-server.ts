/** A real `countersign serve` as a child process, for tests of what several processes do on one store. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const START_MS_MAX = 20_000;

export type RunningServer = {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it has written so far, both streams. */
  readonly output: () => string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** Starts a server on free ports and waits until it is ready. */
export async function startServer(
  data: string,
  options: { env?: Record<string, string>; args?: readonly string[] } = {},
): Promise<RunningServer> {
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
  const server: RunningServer = {
    url: `http://127.0.0.1:${port}`,
    process: child,
    output: () => written,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
  await waitUntilReady(server);
  return server;
}

async function waitUntilReady(server: RunningServer): Promise<void> {
  const deadlineMs = performance.now() + START_MS_MAX;
  while (performance.now() < deadlineMs) {
    const ready = await fetch(`${server.url}/health/ready`).catch(() => undefined);
    if (ready?.status === 200) return;
    if (server.process.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  server.process.kill('SIGKILL');
  throw new Error(`the server did not start:\n${server.output()}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
