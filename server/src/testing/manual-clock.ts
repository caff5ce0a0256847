/** A clock that stands still until the test moves it. */

import type { Clock } from '../ports/clock.ts';

export type ManualClock = Clock & {
  /** Moves time on and wakes whoever slept until then. */
  advance(ms: number): void;
};

export function newManualClock(startMs = 1_000_000): ManualClock {
  let elapsedMs = 0;
  let sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];
  return {
    wallMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, end) =>
      new Promise((wake) => {
        sleepers.push({ untilMs: elapsedMs + ms, wake });
        end?.addEventListener('abort', () => wake());
      }),
    advance: (ms) => {
      elapsedMs += ms;
      const due = sleepers.filter((sleeper) => sleeper.untilMs <= elapsedMs);
      sleepers = sleepers.filter((sleeper) => sleeper.untilMs > elapsedMs);
      for (const { wake } of due) wake();
    },
  };
}
