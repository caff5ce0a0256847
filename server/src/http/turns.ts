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
  /** Tells that somebody was refused whose turn had come: there was no room elsewhere. */
  refused(): void;
};

/** The event loop that the turns are of, in milliseconds. */
export type Loop = {
  readonly nowMs: () => number;
  /** How long it has had nothing to do, in all. */
  readonly restedMs: () => number;
};

/** A loop that rests for less than this share of the time has more to do than it can. */
const REST_SHARE_MIN = 0.2;
/** The shortest time over which that can be told. */
const REST_WATCHED_MS = 500;

/** Turns of a listener's own. */
export function newTurns(
  limits: Pick<HttpLimits, 'turnMsMax' | 'togetherMax' | 'waitingMax' | 'standingMax'>,
  loop: Loop,
): Turns {
  const { turnMsMax, togetherMax, waitingMax, standingMax } = limits;
  const waiting: Begin[] = [];
  let isKeptShort = false;
  let watchedFrom = { ms: 0, restedMs: 0 };

  const turn = (): void => {
    const beganMs = loop.nowMs();
    do serve(waiting.splice(0, togetherMax));
    while (waiting.length > 0 && loop.nowMs() - beganMs <= turnMsMax);
    if (waiting.length > 0) setImmediate(turn);
  };

  /** Whether the loop has rested since it was watched last; not yet, as long as that cannot be told. */
  const hasRested = (): boolean => {
    const [ms, restedMs] = [loop.nowMs(), loop.restedMs()];
    const watchedMs = ms - watchedFrom.ms;
    if (watchedMs < REST_WATCHED_MS) return false;
    const share = (restedMs - watchedFrom.restedMs) / watchedMs;
    watchedFrom = { ms, restedMs };
    return share >= REST_SHARE_MIN;
  };

  // A burst may wait. A queue that never empties serves nobody sooner for being long, and all that is kept of it slows down each: so
  // once somebody was refused, it is kept short until the loop rests again.
  const refused = (): void => {
    if (!isKeptShort) watchedFrom = { ms: loop.nowMs(), restedMs: loop.restedMs() };
    isKeptShort = true;
  };
  const isFull = (): boolean => {
    if (isKeptShort && waiting.length >= standingMax) isKeptShort = !hasRested();
    if (waiting.length < (isKeptShort ? standingMax : waitingMax)) return false;
    refused();
    return true;
  };

  return {
    take: (begin) => {
      if (isFull()) return false;
      // Runs when all sockets that were ready have been read.
      if (waiting.length === 0) setImmediate(turn);
      waiting.push(begin);
      return true;
    },
    refused,
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
