/** Runs `countersign` for tests of what an operator sees: its own process, or its code in this one, which takes a tenth of the time. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runCli, WAITING } from '../cli/run.ts';
import { readConfig } from '../config.ts';
import { openForOperator } from '../operator.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const ACTOR = 'cli:ada@desk-4';

export type Ran = {
  readonly code: number | null;
  readonly stdout: string;
  /** Without what a command says of its waiting, as every command may on a loaded machine. */
  readonly stderr: string;
};
type Run = (argv: readonly string[], options?: { stdin?: string }) => Promise<Ran>;
export type CommandLine = Run & {
  /** Runs with `--json`, expects success, and returns the one document. */
  json(...argv: readonly string[]): Promise<Record<string, unknown>>;
};

export function assertRefused(ran: Ran, expected: RegExp): void {
  assert.equal(ran.code, 1, ran.stderr);
  assert.equal(ran.stdout, '');
  assert.match(ran.stderr, expected);
  assert.match(ran.stderr, /^[^\n]+\n$/, 'a refusal is one line');
}

export function assertWrongUsage(ran: Ran, expected: RegExp): void {
  assert.equal(ran.code, 2, ran.stderr);
  assert.equal(ran.stdout, '');
  assert.match(ran.stderr, expected);
  assert.match(ran.stderr, /\nSee countersign.* --help\n$/);
}

/** The command line on one data directory, as a process each time. */
export function commandProcess(data: string): CommandLine {
  const env = { COUNTERSIGN_DATA: data };
  return withJson((argv, options) =>
    runProgram(process.execPath, [MAIN, ...argv], { ...options, env }),
  );
}

/** The command line on one data directory, or on what `env` names, within this process. */
export function commandLine(data: string, env: Record<string, string> = {}): CommandLine {
  return withJson(async (argv, { stdin = '' } = {}) => {
    const written = { stdout: '', stderr: '' };
    const sink = (name: keyof typeof written) => ({
      write: (text: string) => {
        written[name] += text;
      },
      on: () => {},
    });
    const code = await runCli(argv, {
      stdout: sink('stdout'),
      stderr: sink('stderr'),
      stdin: (async function* () {
        yield await Promise.resolve(stdin);
      })(),
      readConfig: (flags) => readConfig({ flags, env: { COUNTERSIGN_DATA: data, ...env } }),
      actor: ACTOR,
      open: (config) => openForOperator(config, ACTOR),
      serve: () => Promise.reject(new Error('a server needs a process of its own')),
    });
    return { code, ...patient(written) };
  });
}

function withJson(run: Run): CommandLine {
  const json: CommandLine['json'] = async (...argv) => {
    const { code, stdout, stderr } = await run([...argv, '--json']);
    if (code !== 0) throw new Error(`countersign ${argv.join(' ')}: exit ${code}: ${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  return Object.assign(run, { json });
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  argv: readonly string[],
  options: { stdin?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const child = spawn(program, [...argv], { env: { ...process.env, ...options.env } });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  // A program that never reads may be gone before it is written to.
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  await once(child, 'close');
  return { code: child.exitCode, ...patient(written) };
}

function patient({ stdout, stderr }: Omit<Ran, 'code'>): Omit<Ran, 'code'> {
  return { stdout, stderr: stderr.replace(WAITING, '') };
}
