/**
 * Gives requests their turns of the event loop: some are decided together and then answered together, and no turn is as long as the
 * queue, since what stops a leak is heard between two turns. Knows no request.
 */

import type { HttpLimits } from './limits.ts';

/** Decides a request at once. What it returns tells the answer; nothing, where the answer is not known yet. */
export type Begin = () => (() => void) | undefined;

export type Turns = {
  /** Begins it in the next turn that has room, behind those that wait already. False: there are too many of them. */
  take(begin: Begin): boolean;
};

/** Turns of a listener's own. */
export function newTurns(
  limits: Pick<HttpLimits, 'turnMsMax' | 'togetherMax' | 'waitingMax'>,
  nowMs: () => number,
): Turns {
  const { turnMsMax, togetherMax, waitingMax } = limits;
  const waiting: Begin[] = [];

  const turn = (): void => {
    const beganMs = nowMs();
    do serve(waiting.splice(0, togetherMax));
    while (waiting.length > 0 && nowMs() - beganMs <= turnMsMax);
    if (waiting.length > 0) setImmediate(turn);
  };

  return {
    take: (begin) => {
      if (waiting.length >= waitingMax) return false;
      // Runs when all sockets that were ready have been read.
      if (waiting.length === 0) setImmediate(turn);
      waiting.push(begin);
      return true;
    },
  };
}

/**
 * Whoever reads the answers is woken once for many, and each part of the work finds its code and data warm. In one synchronous step: a
 * node hears nothing between a decision and its answer, and acknowledges nothing, so that no receipt comes before an answer that it
 * rules out.
 */
function serve(together: readonly Begin[]): void {
  const answers: (() => void)[] = [];
  for (const begin of together) {
    const answer = begin();
    if (answer !== undefined) answers.push(answer);
  }
  for (const answer of answers) answer();
}
