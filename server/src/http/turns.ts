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
  let waiting: (() => void)[] = [];
  let next = 0;

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
    while (next < waiting.length && !isOver()) {
      const begin = waiting[next] as () => void;
      next += 1;
      begin();
    }
    if (next < waiting.length) return;
    waiting = [];
    next = 0;
  };

  return {
    take: (begin) => {
      const waits = waiting.length - next;
      if (waits === 0 && !isOver()) begin();
      else if (waits >= waitingMax) return false;
      else waiting.push(begin);
      return true;
    },
  };
}
