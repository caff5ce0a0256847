/**
 * Runs the authority as an operator would: its command line, a data directory of its own, two free ports. Knows nothing of the
 * authority but its command and what that prints.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../server/bin/countersign.mjs', import.meta.url));
const START_MS_MAX = 20_000;
const STOP_MS_MAX = 15_000;
const LOOK_INTERVAL_MS = 15;
/** Ports are found by opening and closing them, so another process may take one in between. */
const STARTS_MAX = 3;

/** A database to keep the state in instead of the data directory, and where its files are; for one authority at a time. */
const { CONFORMANCE_DATABASE_URL: DATABASE_URL, CONFORMANCE_DATABASE_FILES: DATABASE_FILES } =
  process.env;

export type Environment = 'sandbox' | 'production';
export type Json = Readonly<Record<string, unknown>>;
type Variables = Readonly<Record<string, string>>;

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type Authority = {
  readonly data: string;
  /** The directories in which all of its state stands. */
  readonly directories: readonly string[];
  readonly port: number;
  readonly origin: string;
  /** Base URL of the admin listener. */
  readonly adminOrigin: string;
  /** Base URL of an environment. */
  readonly issuer: (environment?: Environment) => string;
  /** Runs a command with `--json` on the same data; rejects when it fails, with what it says. */
  readonly cli: (...args: readonly string[]) => Promise<Json>;
  /** The same for a command that prints a list. */
  readonly list: (...args: readonly string[]) => Promise<readonly Json[]>;
  /** The same, whatever its end, without `--json`. */
  readonly command: (...args: readonly string[]) => Promise<Ended>;
  /** All that the server wrote to its two streams, over all its starts. */
  readonly written: () => string;
  readonly pid: () => number;
  /** Ends the server at once, as a power cut would. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same data and ports. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type StartOptions = {
  readonly variables?: Variables;
  /** More options of `serve`. */
  readonly options?: readonly string[];
  /** A command to run first, so that the data directory is there when the server starts. */
  readonly firstCommand?: readonly string[];
};

/** Starts an authority on a new data directory and resolves once it is ready. */
export async function startAuthority(settings: StartOptions = {}): Promise<Authority> {
  const data = await mkdtemp(join(tmpdir(), 'countersign-conformance-'));
  for (let starts = 1; ; starts += 1) {
    const [port, adminPort] = [await freePort(), await freePort()];
    const authority = authorityOf({ data, port, adminPort, settings });
    try {
      if (settings.firstCommand !== undefined) await authority.command(...settings.firstCommand);
      await authority.start();
      return authority;
    } catch (error) {
      if (starts === STARTS_MAX || !String(error).includes('another process listens there')) {
        await authority.stop();
        throw error;
      }
    }
  }
}

function authorityOf(at: {
  data: string;
  port: number;
  adminPort: number;
  settings: StartOptions;
}): Authority {
  const { data, port, adminPort, settings } = at;
  const origin = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let written = '';
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const stopped = child;
    const ended = new Promise((resolve) => stopped.once('close', resolve));
    stopped.kill(signal);
    const late = setTimeout(() => stopped.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(late);
    if (signal === 'SIGTERM' && stopped.exitCode !== 0) {
      throw new Error(`the authority did not stop cleanly:\n${written}`);
    }
  };
  const variables = { ...databaseVariables(origin), ...settings.variables };
  const command = (...args: readonly string[]): Promise<Ended> =>
    run([...args, '--data', data], databaseVariables(origin));
  const printed = async (args: readonly string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await command(...args, '--json');
    if (code === 0) return JSON.parse(stdout);
    throw new Error(`countersign ${args.join(' ')}: exit ${code}: ${stderr}`);
  };
  return {
    data,
    directories: [data, ...(DATABASE_FILES === undefined ? [] : [DATABASE_FILES])],
    port,
    origin,
    adminOrigin: `http://127.0.0.1:${adminPort}`,
    issuer: (environment = 'sandbox') => `${origin}/${environment}`,
    command,
    cli: async (...args) => (await printed(args)) as Json,
    list: async (...args) => (await printed(args)) as readonly Json[],
    written: () => written,
    pid: () => child?.pid ?? 0,
    start: async () => {
      const listen = ['--listen', `127.0.0.1:${port}`, '--admin-listen', `127.0.0.1:${adminPort}`];
      child = launch(['serve', '--data', data, ...listen, ...(settings.options ?? [])], {
        variables,
      });
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        written += text;
      });
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        written += text;
      });
      await ready(`http://127.0.0.1:${adminPort}/health/ready`, child, () => written);
    },
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM');
      await rm(data, { recursive: true, force: true });
    },
  };
}

function databaseVariables(origin: string): Variables {
  if (DATABASE_URL === undefined) return {};
  return {
    COUNTERSIGN_DATABASE_URL: DATABASE_URL,
    COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    COUNTERSIGN_PUBLIC_URL: origin,
  };
}

/** Runs a command to its end. */
function run(args: readonly string[], variables: Variables = {}): Promise<Ended> {
  const child = launch(args, { variables });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function launch(args: readonly string[], { variables = {} }: StartOptions): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('COUNTERSIGN'));
  const env = {
    ...Object.fromEntries(inherited),
    // Compiled once for all the processes of a run, and for the next run.
    NODE_COMPILE_CACHE: join(tmpdir(), 'countersign-conformance-compiled'),
    ...variables,
  };
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: [...stdio] });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

async function ready(url: string, child: ChildProcess, written: () => string): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  while ((await statusOf(url)) !== 200) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      throw new Error(`the authority did not become ready:\n${written()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve) => {
    const asked = get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', () => resolve(0));
  });
}

/** A port that nobody listens on at this moment. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
