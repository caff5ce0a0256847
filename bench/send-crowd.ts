/** Starts a crowd of callers as a process beside the servers, and waits for its report. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CrowdOrder, CrowdReport } from './crowd.ts';
import type { Placement } from './machine.ts';

const SCRIPT = join(import.meta.dirname, 'crowd.ts');

/** Resolves when the crowd's time is over. */
export async function sendCrowd(order: CrowdOrder, placement: Placement): Promise<CrowdReport> {
  const { command, args } = placement.onLoadCore(process.execPath, [SCRIPT]);
  const child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify(order));
  const output = await text(child.stdout);
  await exited;
  if (child.exitCode !== 0) throw new Error('the crowd of callers failed');
  return JSON.parse(output) as CrowdReport;
}
