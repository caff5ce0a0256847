/** Lets only what is measured run: whoever waits its turn still wakes up many times a second, and empties the caches of who has it. */

import { familyOf } from './machine.ts';
import { answerOf, type Target } from './target.ts';

const READY_MS_MAX = 60_000;
const READY_POLL_MS = 50;
/** What a server has to make up for when it goes on is not what is measured. */
const SETTLE_MS = 300;

export type Turn = { readonly target: Target; readonly pids: readonly number[] };

const standing = new Set<number>();

/**
 * Calls `body` while of all processes of `turns` only those of `turn` run, and it answers again: a node that stood still has lost its
 * lease. Rejects when it does not answer within a minute. The others stand still until their turn, `letAllGo` or the end of this process.
 */
export async function alone<T>(
  turn: Turn,
  turns: readonly Turn[],
  body: () => Promise<T>,
): Promise<T> {
  letGoAtTheEnd();
  const own = new Set(turn.pids.flatMap(familyOf));
  for (const pid of turns.flatMap(({ pids }) => pids.flatMap(familyOf))) {
    if (own.has(pid)) letGo(pid);
    else if (!standing.has(pid) && signal(pid, 'SIGSTOP')) standing.add(pid);
  }
  await untilItAnswers(turn.target);
  await pause(SETTLE_MS);
  return await body();
}

export function letAllGo(): void {
  for (const pid of standing) letGo(pid);
}

function letGo(pid: number): void {
  if (standing.delete(pid)) signal(pid, 'SIGCONT');
}

/** Whether it was there to hear it: of a peer that has ended the rounds tell. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Who stands still hears no other signal, and would be left behind. */
const letGoAtTheEnd = (() => {
  let isSeenTo = false;
  return (): void => {
    if (isSeenTo) return;
    isSeenTo = true;
    process.on('exit', letAllGo);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(name, () => process.exit(1));
    }
  };
})();

async function untilItAnswers(target: Target): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  for (;;) {
    const failure = await answerOf(target).then(
      () => undefined,
      (error: Error) => error,
    );
    if (failure === undefined) return;
    if (performance.now() > deadlineMs) throw failure;
    await pause(READY_POLL_MS);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
