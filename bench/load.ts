/** Puts load on one URL with wrk, as a child process. What it sends stands in a script that only this user can read. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Placement } from './machine.ts';
import { readWrkReport, type WrkReport } from './wrk-report.ts';

export const CONNECTIONS = 32;

export type Target = {
  readonly url: string;
  /** Form parameters, maybe with secrets: they go into a file, never onto a command line. Undefined: a GET. */
  readonly form?: Readonly<Record<string, string>> | undefined;
  /** Value of the header of that name; it goes into that file as well. */
  readonly authorization?: string;
};

/** Throws an Error that says what to install when wrk is not there. */
export function assertLoadGenerator(): void {
  // wrk knows no successful way to say its version: that it starts is enough.
  if (spawnSync('wrk', ['--version']).error === undefined) return;
  throw new Error(
    'the bench needs wrk: install it (Debian: tools/setup-debian.sh --bench, macOS: brew install wrk)',
  );
}

/** Loads `target` for some seconds. Rejects when an answer was not a good one. */
export async function load(
  target: Target,
  options: { readonly seconds: number; readonly directory: string; readonly placement: Placement },
): Promise<WrkReport> {
  const script = join(options.directory, 'load.lua');
  writeFileSync(script, scriptOf(target), { mode: 0o600 });
  try {
    const { command, args } = options.placement.onLoadCore('wrk', [
      ...['--threads', '1', '--connections', String(CONNECTIONS), '--latency'],
      ...['--duration', `${options.seconds}s`, '--script', script, target.url],
    ]);
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = once(child, 'exit');
    const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
    await exited;
    if (child.exitCode !== 0) throw new Error(`wrk failed on ${target.url}: ${complaints}`);
    const report = readWrkReport(output);
    if (report.badAnswers + report.socketErrors === 0) return report;
    throw new Error(
      `${target.url}: of ${report.requests} answers ${report.badAnswers} were not 200, ${report.socketErrors} socket errors`,
    );
  } finally {
    rmSync(script, { force: true });
  }
}

/** A Lua script that sends the same with every request. Neither a form's encoding nor a token has a character that Lua would read. */
function scriptOf({ form, authorization }: Target): string {
  const header = (name: string, value: string): string => `wrk.headers["${name}"] = "${value}"`;
  const posted =
    form === undefined
      ? []
      : [
          'wrk.method = "POST"',
          `wrk.body = "${new URLSearchParams(form)}"`,
          header('Content-Type', 'application/x-www-form-urlencoded'),
        ];
  const authorized = authorization === undefined ? [] : [header('Authorization', authorization)];
  return [...posted, ...authorized, ''].join('\n');
}
