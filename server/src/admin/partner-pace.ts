/** How fast partners may go: what they do is written into the change log and the audit trail, which everybody shares. */

import { newPace, type Pace } from '../endpoints/pace.ts';

const OPERATORS_MAX = 1_000;

export type PartnerPace = {
  readonly changes: Pace;
  /** Lines of the audit trail on ids of other programs; the log tells of the rest. */
  readonly foreignIds: Pace;
};

export function newPartnerPace(): PartnerPace {
  return {
    changes: newPace({ atOnce: 60, refillMs: 2_000, rememberedMax: OPERATORS_MAX }),
    foreignIds: newPace({ atOnce: 20, refillMs: 60_000, rememberedMax: OPERATORS_MAX }),
  };
}
