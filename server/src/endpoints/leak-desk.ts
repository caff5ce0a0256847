/**
 * Takes reports of leaks and answers all of them alike: at the next tick of a clock that knows nothing of them, before any of them is
 * looked at. So neither the answer nor its time tells whether a credential is live. Work comes in bounded batches between the ticks.
 */

import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

const TICK_MS = 250;
/** Answers leave at a tick; work begins here, when they have left. */
const WORK_AFTER_MS = 100;
/** Credentials waiting for work; some 10 seconds of it. */
const WAITING_MAX = 4_000;
/** Of these, such as stood in the URL of a request: nothing else bounds what a stranger puts there, and reports must not wait behind it. */
const URLS_WAITING_MAX = 1_000;
/** Requests that wait for a tick: a share of those that a listener decides at once, so that none of /token's is lost to them. */
const ANSWERS_MAX = 256;
/** Credentials worked on between two ticks: one question to the store, and a change for each that is live. */
const BATCH_MAX = 100;
/** Batches that fail, because the store is out, are tried again this often: for a minute. */
const TRIES_MAX = 240;

/** How a credential came to be known. */
export type LeakSource = {
  /** As whom the authority acts. */
  readonly actor: string;
  /** Where it stood, in words of our own: stands in the audit trail. */
  readonly where: string;
  /** It stood in the URL of a request to this server. */
  readonly isUrl: boolean;
};

export type Leak = { readonly text: string; readonly source: LeakSource };

export type LeakDesk = {
  /** Whether one more request with so many credentials can be taken. */
  hasRoom(count: number): boolean;
  /** Takes leaks to be worked on. What there is no room for is dropped. */
  take(leaks: readonly Leak[]): void;
  /** Resolves at the next tick. */
  tick(): Promise<void>;
  /** Works on what is left, once. Never rejects. */
  stop(): Promise<void>;
};

export function newLeakDesk(deps: {
  readonly work: (leaks: readonly Leak[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}): LeakDesk {
  const { work, clock, log } = deps;
  const stopped = new AbortController();
  let waiting: Leak[] = [];
  let urlsWaiting = 0;
  let answers: (() => void)[] = [];
  let tries = 0;
  let working: Promise<void> | undefined;

  const take = (leak: Leak): void => {
    const { isUrl } = leak.source;
    if (waiting.length >= WAITING_MAX || (isUrl && urlsWaiting >= URLS_WAITING_MAX)) return;
    waiting.push(leak);
    if (isUrl) urlsWaiting += 1;
  };

  const letGo = (batch: readonly Leak[]): void => {
    waiting = waiting.slice(batch.length);
    urlsWaiting -= batch.filter(({ source }) => source.isUrl).length;
    tries = 0;
  };

  const workOnBatch = async (): Promise<void> => {
    const batch = waiting.slice(0, BATCH_MAX);
    try {
      await work(batch);
      letGo(batch);
    } catch (error) {
      tries += 1;
      const cause = (error as Error).message;
      if (tries === 1) log.warn({ cause, waiting: waiting.length }, 'leak reports have to wait');
      if (tries < TRIES_MAX) return;
      log.error({ cause, dropped: batch.length }, 'leak reports were given up');
      letGo(batch);
    }
  };

  const answerAll = (): void => {
    const due = answers;
    answers = [];
    for (const answer of due) answer();
  };

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      // On a grid that no report and no work can move.
      await clock.sleep(TICK_MS - (clock.monotonicMs() % TICK_MS), stopped.signal);
      answerAll();
      if (stopped.signal.aborted) return;
      if (waiting.length === 0 || working !== undefined) continue;
      working = clock
        .sleep(WORK_AFTER_MS, stopped.signal)
        .then(workOnBatch)
        .finally(() => {
          working = undefined;
        });
    }
  };
  const running = run();

  return {
    hasRoom: (count) => answers.length < ANSWERS_MAX && waiting.length + count <= WAITING_MAX,
    take: (leaks) => {
      for (const leak of leaks) take(leak);
    },
    tick: () => new Promise((resolve) => answers.push(resolve)),
    stop: async () => {
      stopped.abort();
      await running;
      answerAll();
      await working;
      while (waiting.length > 0 && tries === 0) await workOnBatch();
    },
  };
}
