/**
 * Spreads requests over turns of the event loop, so that no turn is as long as its queue: what stops a leak is heard between two turns.
 * Knows no request.
 */

import type { HttpLimits } from './limits.ts';

export type Turns = {
  /** Begins it now, or in one of the next turns behind those that wait already. False: there are too many of them. */
  take(begin: () => void): boolean;
};

/** Turns of a listener's own. */
export function newTurns(
  limits: Pick<HttpLimits, 'turnMsMax' | 'turnRequestsMin' | 'waitingMax'>,
  nowMs: () => number,
): Turns {
  const { turnMsMax, turnRequestsMin, waitingMax } = limits;
  let begun = 0;
  let beganMs = 0;
  const waiting: (() => void)[] = [];

  /** Whether this turn has begun enough; counts what is to be begun. */
  const isOver = (): boolean => {
    begun += 1;
    if (begun === 1) {
      beganMs = nowMs();
      // Runs when all sockets that were ready have had their turn.
      setImmediate(turn);
    }
    return begun > turnRequestsMin && nowMs() - beganMs > turnMsMax;
  };

  const turn = (): void => {
    begun = 0;
    // Taken out one by one: under overload the queue is never empty, and nothing that was begun may stay in it.
    while (waiting.length > 0 && !isOver()) waiting.shift()?.();
  };

  return {
    take: (begin) => {
      if (waiting.length === 0 && !isOver()) begin();
      else if (waiting.length >= waitingMax) return false;
      else waiting.push(begin);
      return true;
    },
  };
}
