/** Takes out what is kept for a time only and is of no use after it. */

import type { Duty } from './duty.ts';

const HOUR_MS = 3_600_000;

export const PRUNING: Duty = {
  name: 'prune',
  everyMs: HOUR_MS,
  run: async ({ changes, clock }) => {
    await changes.prune(clock.wallMs());
  },
};
