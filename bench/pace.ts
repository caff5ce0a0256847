/** Puts load on one URL with the generator in fixed-rate.ts, as a child process beside the servers. Knows no schedule. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Paced, Plan } from './fixed-rate.ts';
import { CONNECTIONS } from './load.ts';
import type { Placement } from './machine.ts';
import type { Target } from './target.ts';

/** Rejects when an answer was not a good one, or the rate was more than could be answered. */
export async function pace(
  target: Target,
  options: {
    readonly placement: Placement;
    readonly seconds: number;
    readonly ratePerSecond?: number;
  },
): Promise<Paced> {
  const { placement, ...plan } = options;
  const generator = join(import.meta.dirname, 'fixed-rate.ts');
  const { command, args } = placement.onLoadCore(process.execPath, [generator]);
  const child = spawn(command, [...args], { stdio: 'pipe' });
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify({ ...plan, target, connections: CONNECTIONS } satisfies Plan));
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await exited;
  if (child.exitCode === 0) return JSON.parse(output);
  throw new Error(`the load on ${target.url} failed: ${complaints.trim()}`);
}
