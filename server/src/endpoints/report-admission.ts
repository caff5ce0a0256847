/** How often one address, of IPv6 one network of a customer (/64), may report leaks. Apart from the throttle of authentication: neither can hold up the other. */

import { networkOf } from './canonical-address.ts';

/** Requests at once; then one each `REFILL_MS`. */
const REPORTS_MAX = 30;
const REFILL_MS = 1_000;
/** Addresses remembered, some 100 bytes each. */
const ADDRESSES_MAX = 10_000;

export type ReportAdmission = {
  /** Counts one report of an address; milliseconds until it may come again, 0: it is admitted. */
  waitMs(address: string, nowMs: number): number;
};

export function newReportAdmission(): ReportAdmission {
  const counted = new Map<string, { reports: number; atMs: number }>();
  return {
    waitMs: (caller, nowMs) => {
      const address = networkOf(caller);
      const known = counted.get(address);
      const worn = known === undefined ? 0 : (nowMs - known.atMs) / REFILL_MS;
      const reports = Math.max(0, (known?.reports ?? 0) - worn) + 1;
      if (reports > REPORTS_MAX) return (reports - REPORTS_MAX) * REFILL_MS;
      counted.delete(address);
      counted.set(address, { reports, atMs: nowMs });
      for (const oldest of counted.keys()) {
        if (counted.size <= ADDRESSES_MAX) break;
        counted.delete(oldest);
      }
      return 0;
    },
  };
}
