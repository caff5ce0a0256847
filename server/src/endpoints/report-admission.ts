/** How often one address, of IPv6 one network of a customer (/64), may report leaks. Apart from the throttle of authentication: neither can hold up the other. */

import { networkOf } from './canonical-address.ts';
import { newPace, type Pace } from './pace.ts';

const REPORTS = { atOnce: 30, refillMs: 1_000, rememberedMax: 10_000 };

export function newReportAdmission(): Pace {
  const pace = newPace(REPORTS);
  return {
    waitMs: (address, nowMs) => pace.waitMs(networkOf(address), nowMs),
    isSpent: (address, nowMs) => pace.isSpent(networkOf(address), nowMs),
  };
}
