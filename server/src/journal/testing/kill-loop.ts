/** Starts an appending process, kills it at a random moment, and says which acknowledged tokens are missing. */

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { storedJtis } from './sample-journal.ts';

export const APPENDING_CHILD = fileURLToPath(new URL('./appending-child.ts', import.meta.url));

const ALIVE_MS_MAX = 150;
const TOKENS_A_ROUND_MAX = 1_000_000;

export type KillLoop = {
  readonly directory: string;
  readonly rounds: number;
  readonly flags?: readonly string[];
};

/** Kills `rounds` processes in turn, all on the same folder, each a random while after its first acknowledgement. */
export async function killAndCompare(
  loop: KillLoop,
): Promise<{ acknowledged: number; missing: readonly string[] }> {
  const acknowledged: string[] = [];
  for (let round = 0; round < loop.rounds; round += 1) {
    acknowledged.push(...(await acknowledgedUntilKilled(loop, round)));
  }
  const stored = new Set(storedJtis(loop.directory));
  return {
    acknowledged: acknowledged.length,
    missing: acknowledged.filter((jti) => !stored.has(jti)),
  };
}

async function acknowledgedUntilKilled(loop: KillLoop, round: number): Promise<readonly string[]> {
  const from = String(round * TOKENS_A_ROUND_MAX);
  const fixed = ['--directory', loop.directory, '--callers', '8', '--from', from];
  const child = spawn(process.execPath, [APPENDING_CHILD, ...fixed, ...(loop.flags ?? [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    if (printed === '') setTimeout(() => child.kill('SIGKILL'), randomInt(ALIVE_MS_MAX));
    printed += text;
  });
  const [, signal] = await once(child, 'close');
  if (signal !== 'SIGKILL') throw new Error('the appending process ended by itself');
  // The line being printed when the signal came is no acknowledgement yet.
  return printed.split('\n').slice(0, -1);
}
