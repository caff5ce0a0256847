/** Ends suspensions at the time that they were given. */

import { endDueSuspensions, hasDueSuspensions } from '../operations/end-due-suspensions.ts';
import type { Duty } from './duty.ts';

const EVERY_MS = 5_000;

export const ENDING_SUSPENSIONS: Duty = {
  name: 'end-suspensions',
  everyMs: EVERY_MS,
  isDue: hasDueSuspensions,
  run: async (context) => {
    await endDueSuspensions(context);
  },
};
