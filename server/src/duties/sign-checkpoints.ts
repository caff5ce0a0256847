/** Signs where the audit trail stands, at least every minute or 1,000 lines while there are changes. */

import { makeCheckpoint } from '../operations/make-checkpoint.ts';
import type { Duty, DutyContext } from './duty.ts';

const LINES_MAX = 1_000;
const EVERY_MS = 5_000;
/** With the time until the duty is looked at again and its jitter, a minute. */
const AGE_MS_MAX = 50_000;

export const CHECKPOINTS: Duty = {
  name: 'checkpoint',
  everyMs: EVERY_MS,
  isDue: isCheckpointDue,
  run: async (context) => {
    if (await isCheckpointDue(context)) await makeCheckpoint(context);
  },
};

async function isCheckpointDue({ audit, checkpoints, clock }: DutyContext): Promise<boolean> {
  const [head, latest] = [await audit.head(), await checkpoints.latest()];
  if (latest === undefined) return head.sequence > 0;
  const lines = head.sequence - latest.sequence;
  // Fewer lines than were signed for: making a checkpoint tells of it.
  if (lines >= LINES_MAX || lines < 0) return true;
  return lines > 0 && Math.abs(clock.wallMs() - latest.atMs) >= AGE_MS_MAX;
}
