/** Reports clients that nobody uses any more, and suspends them where the policy says so. */

import { reportDormant } from '../operations/dormant-clients.ts';
import type { Duty } from './duty.ts';

const HOUR_MS = 3_600_000;

export const DORMANT_CLIENTS: Duty = {
  name: 'dormant-clients',
  everyMs: 6 * HOUR_MS,
  run: async (context) => {
    await reportDormant(context, context.end);
  },
};
