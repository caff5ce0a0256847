/** Starts what is measured: the authority as its users start it, onboarded by its own command line, and the bare server. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Target } from './load.ts';
import type { Command, Placement } from './machine.ts';

const START_MS_MAX = 20_000;
const START_POLL_MS = 20;

export type RunningServer = {
  readonly pid: number;
  stop(): Promise<void>;
};

export type Authority = RunningServer & {
  readonly token: Target;
  readonly introspect: Target;
};

/** A running authority with a client that asks for tokens and a resource server that asks about them. */
export async function startAuthority(
  checkout: string,
  options: { readonly data: string; readonly placement: Placement },
): Promise<Authority> {
  const { data, placement } = options;
  const bin = join(checkout, 'server', 'bin', 'countersign.mjs');
  const listen = `127.0.0.1:${await freePort()}`;
  const server = await start(
    placement.onServerCore(process.execPath, [
      ...[bin, 'serve', '--data', data, '--listen', listen],
      ...['--admin-listen', `127.0.0.1:${await freePort()}`],
    ]),
    `http://${listen}/health/ready`,
  );
  try {
    return { ...server, ...(await onboard({ bin, data, issuer: `http://${listen}/sandbox` })) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function onboard(at: {
  readonly bin: string;
  readonly data: string;
  readonly issuer: string;
}): Promise<{ token: Target; introspect: Target }> {
  const countersign = async (...args: string[]): Promise<Record<string, string>> => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...[at.bin, ...args, '--data', at.data, '--json'],
    ]);
    return JSON.parse(stdout);
  };
  const inSandbox = ['--environment', 'sandbox'];
  await countersign('scope', 'create', 'accounts:read', ...inSandbox);
  const { program_id: program = '' } = await countersign('program', 'create', 'Bench');
  const create = ['client', 'create', '--program', program, ...inSandbox];
  const partner = credentialsIn(
    await countersign(...create, '--name', 'Partner', '--scope', 'accounts:read'),
  );
  const bank = credentialsIn(await countersign(...create, '--name', 'Bank', '--resource-server'));
  const token: Target = {
    url: `${at.issuer}/token`,
    form: { ...partner, grant_type: 'client_credentials' },
  };
  const { access_token: accessToken = '' } = JSON.parse(await answerOf(token));
  const introspect: Target = {
    url: `${at.issuer}/introspect`,
    form: { ...bank, token: accessToken },
  };
  if (JSON.parse(await answerOf(introspect)).active !== true) {
    throw new Error('the token that was just issued is not active');
  }
  return { token, introspect };
}

function credentialsIn(created: Readonly<Record<string, string>>): Record<string, string> {
  const { client_id = '', client_secret = '' } = created;
  return { client_id, client_secret };
}

/** A bare server whose answer is as long as the one of `like`. */
export async function startBareServer(
  like: Target,
  placement: Placement,
): Promise<RunningServer & { readonly target: Target }> {
  const port = await freePort();
  const bytes = Buffer.byteLength(await answerOf(like));
  const script = join(import.meta.dirname, 'bare-server.ts');
  const url = `http://127.0.0.1:${port}/`;
  const server = await start(
    placement.onServerCore(process.execPath, [
      ...[script, '--port', String(port), '--answer-bytes', String(bytes)],
    ]),
    url,
  );
  return { ...server, target: { url, form: like.form } };
}

/** The body of one answer; rejects when it is not 200. */
export async function answerOf({ url, form }: Target): Promise<string> {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ ...form }) });
  if (answer.status !== 200)
    throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return answer.text();
}

async function start({ command, args }: Command, readyUrl: string): Promise<RunningServer> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  // Also when the bench is interrupted: nobody else would end what it started.
  process.on('exit', () => child.kill('SIGKILL'));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
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
    },
  };
}

/** `taskset` becomes what it starts, so the child is the server itself. */
function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a server that is ready has no process');
  return child.pid;
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status === 200;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
