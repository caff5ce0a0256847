/** Every write that is one run of steps, by its port and its name there; changes, and what nodes write of themselves, end as each engine has it. */

import type { Checkpoints } from '../../ports/checkpoints.ts';
import type { DutyRoster } from '../../ports/duties.ts';
import type { Changes } from '../../ports/store.ts';
import type { Webhooks } from '../../ports/webhooks.ts';
import { addCheckpoint } from './checkpoints.ts';
import { claimDuty, endDuty, extendDuty } from './duties.ts';
import { moveSecret } from './keys.ts';
import type { StepsOf } from './promised.ts';
import { prune } from './prune.ts';
import { shareQuota } from './quotas.ts';
import { noteRefusals } from './refusals.ts';
import { noteUses } from './secret-uses.ts';
import { advanceWebhook, webhookFailed } from './webhooks.ts';

export const WRITES = {
  changes: {
    moveSecret,
    shareQuota,
    prune,
    noteRefusals,
    noteUses,
  } satisfies StepsOf<Omit<Changes, 'commit' | 'record'>>,
  checkpoints: { add: addCheckpoint } satisfies StepsOf<Pick<Checkpoints, 'add'>>,
  webhooks: {
    advance: advanceWebhook,
    failed: webhookFailed,
  } satisfies StepsOf<Omit<Webhooks, 'list'>>,
  duties: {
    claim: claimDuty,
    extend: extendDuty,
    end: endDuty,
  } satisfies StepsOf<Omit<DutyRoster, 'list'>>,
};
