/** Starts a program and waits until it answers HTTP; ends it with the bench. Knows nothing of what it serves. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Command } from './machine.ts';

const START_MS_MAX = 60_000;
const START_POLL_MS = 20;

export type RunningServer = {
  readonly pid: number;
  stop(): Promise<void>;
};

export type Start = Command & {
  readonly readyUrl: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** What ends also when the bench is interrupted: nobody else would end what it started. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Ready is what answers, except with 503. */
export async function start({ command, args, readyUrl, env }: Start): Promise<RunningServer> {
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  running.add(child);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaints.length < COMPLAINTS_LENGTH_MAX) complaints += text;
  });
  const exited = once(child, 'exit');
  const deadlineMs = performance.now() + START_MS_MAX;
  while (!(await isReady(readyUrl))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      child.kill('SIGKILL');
      throw new Error(`${command} ${args.join(' ')} did not start: ${complaints}`);
    }
    await new Promise((resolve) => setTimeout(resolve, START_POLL_MS));
  }
  return {
    pid: pidOf(child),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      running.delete(child);
    },
  };
}

const COMPLAINTS_LENGTH_MAX = 10_000;

/** `taskset` and `strace -D` become what they start, so the child is the server itself. */
function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a server that is ready has no process');
  return child.pid;
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  await answer?.body?.cancel();
  return answer !== undefined && answer.status !== 503;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
