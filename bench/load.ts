/** Puts load on one URL with wrk, as a child process. What it sends stands in a script that only this user can read. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Placement } from './machine.ts';
import { bodyOf, headersOf, type Target } from './target.ts';
import { readWrkReport, type WrkReport } from './wrk-report.ts';

export const CONNECTIONS = 32;

/** Throws an Error that says what to install when wrk is not there. */
export function assertLoadGenerator(): void {
  // wrk knows no successful way to say its version: that it starts is enough.
  if (spawnSync('wrk', ['--version']).error === undefined) return;
  throw new Error(
    'the bench needs wrk: install it (Debian: tools/setup-debian.sh, macOS: brew install wrk)',
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
      // Answers that take seconds, as bcrypt's do, are slow and not lost.
      ...['--timeout', '120s'],
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

/** A Lua script that sends the same request every time. JSON's strings of printable characters are Lua's too. */
function scriptOf(target: Target): string {
  const body = bodyOf(target);
  const headers = Object.entries(headersOf(target)).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  const form = body === undefined ? [] : ['wrk.method = "POST"', `wrk.body = "${body}"`];
  return [...form, ...headers, ''].join('\n');
}
