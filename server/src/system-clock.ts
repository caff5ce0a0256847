/** The real clock: the only place that reads the machine's time. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './ports/clock.ts';

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, end) => sleep(ms, undefined, end && { signal: end }).catch(ifAborted),
};

function ifAborted(error: Error): void {
  if (error.name !== 'AbortError') throw error;
}
