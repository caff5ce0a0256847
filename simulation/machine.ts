/**
 * A process on a machine as time sees it: clocks that are off and run at a rate of their own, that can be set, and a process
 * that can be stopped, put to sleep with its machine, or killed. Knows nothing of what runs on it.
 */

import type { Clock } from '../server/src/ports/clock.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** Any moment: only differences matter. */
const EPOCH_MS = 1_800_000_000_000;

export type Machine = {
  readonly name: string;
  readonly clock: Clock;
  readonly isAlive: boolean;
  readonly isStopped: boolean;
  /** Runs something in the process: now, or when it goes on; never once it is dead. */
  deliver(from: 'timer' | 'outside', run: () => void): void;
  /** As SIGSTOP: its clocks go on. */
  pause(): void;
  /** The machine sleeps: its monotonic clock stands still, its wall clock goes on. */
  sleep(): void;
  resume(): void;
  setWall(byMs: number): void;
  kill(): void;
  /** How long `localMs` of its monotonic clock last. */
  lasting(localMs: number): number;
};

export type Quirks = {
  /** Its clocks run this much faster than time: 0.01 is 1 % fast. */
  readonly rateError: number;
  readonly wallOffsetMs: number;
};

export function newMachine(
  of: { name: string; quirks: Quirks; random: Random },
  timeline: Timeline,
): Machine {
  const rate = 1 + of.quirks.rateError;
  let state: 'runs' | 'paused' | 'asleep' | 'dead' = 'runs';
  let asleepSinceMs = 0;
  let sleptMs = 0;
  let wallOffsetMs = of.quirks.wallOffsetMs;
  let waiting: { from: 'timer' | 'outside'; run: () => void }[] = [];

  const awakeMs = (): number =>
    state === 'asleep' ? asleepSinceMs - sleptMs : timeline.nowMs - sleptMs;
  const monotonicMs = (): number => 1_000 + awakeMs() * rate;
  const deliver: Machine['deliver'] = (from, run) => {
    if (state === 'runs') run();
    else if (state !== 'dead') waiting.push({ from, run });
  };

  const sleep: Clock['sleep'] = (ms, end) =>
    new Promise((resolve) => {
      if (end?.aborted === true) return resolve();
      const dueMs = monotonicMs() + ms;
      const wake = (): void => {
        end?.removeEventListener('abort', wake);
        resolve();
      };
      end?.addEventListener('abort', wake);
      const look = (): void => {
        const leftMs = dueMs - monotonicMs();
        if (leftMs > 1e-6) arm(leftMs);
        else wake();
      };
      const arm = (leftMs: number): void =>
        timeline.after(leftMs / rate + of.random.next(), () => deliver('timer', look));
      arm(ms);
    });

  const resume = (): void => {
    if (state === 'runs' || state === 'dead') return;
    if (state === 'asleep') sleptMs += timeline.nowMs - asleepSinceMs;
    state = 'runs';
    // What the process finds first when it goes on is chance: the timers that ran out, or what came in.
    const first = of.random.chance(0.5) ? 'timer' : 'outside';
    const found = waiting.toSorted((a, b) => Number(b.from === first) - Number(a.from === first));
    waiting = [];
    for (const { from, run } of found) timeline.after(0, () => deliver(from, run));
  };

  return {
    name: of.name,
    clock: {
      monotonicMs,
      wallMs: () => Math.floor(EPOCH_MS + wallOffsetMs + timeline.nowMs + awakeMs() * (rate - 1)),
      sleep,
    },
    get isAlive() {
      return state !== 'dead';
    },
    get isStopped() {
      return state === 'paused' || state === 'asleep';
    },
    deliver,
    pause: () => {
      if (state === 'runs') state = 'paused';
    },
    sleep: () => {
      if (state !== 'runs') return;
      state = 'asleep';
      asleepSinceMs = timeline.nowMs;
    },
    resume,
    setWall: (byMs) => {
      wallOffsetMs += byMs;
    },
    kill: () => {
      state = 'dead';
      waiting = [];
    },
    lasting: (localMs) => localMs / rate,
  };
}
