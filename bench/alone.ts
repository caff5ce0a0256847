/** Lets only what is measured run: whoever waits its turn still wakes up many times a second, and empties the caches of who has it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { familyOf } from './machine.ts';
import { answerOf, type Target } from './target.ts';

const READY_MS_MAX = 60_000;
const READY_POLL_MS = 50;
/** What a server has to make up for when it goes on is not what is measured. */
const SETTLE_MS = 300;

export type Turn = { readonly target: Target; readonly pids: readonly number[] };

const standing = new Set<number>();
// Who stands still hears no other signal, and would be left behind by a bench that ends early.
process.on('exit', () => letGo([...standing]));

/**
 * Calls `body` while of all processes of `turns` only those of `turn` run, and it answers: a node that stood still has lost its lease.
 * The others go on when it has ended, however it has. Rejects when it does not answer within a minute.
 */
export async function alone<T>(
  turn: Turn,
  turns: readonly Turn[],
  body: () => Promise<T>,
): Promise<T> {
  const own = new Set(turn.pids.flatMap(familyOf));
  const all = turns.flatMap(({ pids }) => pids.flatMap(familyOf));
  const others = [...new Set(all)].filter((pid) => !own.has(pid));
  for (const pid of others) if (signal(pid, 'SIGSTOP')) standing.add(pid);
  try {
    await untilItAnswers(turn.target);
    await sleep(SETTLE_MS);
    return await body();
  } finally {
    letGo(others);
  }
}

function letGo(pids: readonly number[]): void {
  for (const pid of pids) if (standing.delete(pid)) signal(pid, 'SIGCONT');
}

/** Whether it was there to hear it: of a peer that has ended the rounds tell. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function untilItAnswers(target: Target): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  for (;;) {
    const failure = await answerOf(target).then(
      () => undefined,
      (error: Error) => error,
    );
    if (failure === undefined) return;
    if (performance.now() > deadlineMs) throw failure;
    await sleep(READY_POLL_MS);
  }
}
