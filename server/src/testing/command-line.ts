/** Runs `countersign` for tests of what an operator sees: its own process, or its code in this one, which takes a tenth of the time. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runCli } from '../cli/run.ts';
import { readConfig } from '../config.ts';
import { openForOperator } from '../operator.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const ACTOR = 'cli:ada@desk-4';

export type Ran = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};
type Run = (argv: readonly string[], options?: { stdin?: string }) => Promise<Ran>;
export type CommandLine = Run & {
  /** Runs with `--json`, expects success, and returns the one document. */
  json(...argv: readonly string[]): Promise<Record<string, unknown>>;
};

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
    return { code, ...written };
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
  return { code: child.exitCode, ...written };
}
