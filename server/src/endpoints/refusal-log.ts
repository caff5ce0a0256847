/** A line for each refusal as long as there are not very many, so that nobody fills a disk by being refused; the others are counted. */

import type { Reason } from '@countersign/protocol';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { RefusedAt, RefusedParty } from './refused.ts';

/** Lines at once; then one each `LINE_REFILL_MS`: some 100 MB a day at the very most. */
const LINES_MAX = 500;
const LINE_REFILL_MS = 200;
/** How often it is said what was left out, while there is something. */
const LEFT_OUT_INTERVAL_MS = 10_000;

export type RefusalLog = {
  write(
    reason: Reason,
    requestId: string,
    of: { readonly at: RefusedAt; readonly party: RefusedParty },
  ): void;
  /** Says how many were left out, if there are any and it was not said lately. */
  tellLeftOut(): void;
};

export function newRefusalLog({
  clock,
  log,
}: {
  readonly clock: Clock;
  readonly log: Log;
}): RefusalLog {
  let lines = LINES_MAX;
  let refilledMs = clock.monotonicMs();
  let leftOutSinceMs = 0;
  let leftOut = new Map<Reason, number>();

  const tellLeftOut = (): void => {
    const forMs = clock.monotonicMs() - leftOutSinceMs;
    if (leftOut.size === 0 || forMs < LEFT_OUT_INTERVAL_MS) return;
    const fields = { seconds: Math.round(forMs / 1000), leftOut: Object.fromEntries(leftOut) };
    log.warn(fields, 'refusals without a line of their own');
    leftOut = new Map();
  };

  return {
    tellLeftOut,
    write: (reason, requestId, { at, party }) => {
      const nowMs = clock.monotonicMs();
      const refill = Math.floor((nowMs - refilledMs) / LINE_REFILL_MS);
      lines = Math.min(LINES_MAX, lines + refill);
      refilledMs += refill * LINE_REFILL_MS;
      tellLeftOut();
      if (lines === 0) {
        if (leftOut.size === 0) leftOutSinceMs = nowMs;
        leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
        return;
      }
      lines -= 1;
      const fields = {
        requestId,
        ...(at.endpoint ? { endpoint: at.endpoint } : {}),
        environment: at.environment?.name,
        reason,
        address: at.address,
        client: party.client?.clientId,
      };
      if (OUR_FAULT.has(reason)) log.warn(fields, 'not decided');
      else log.info(fields, 'refused');
    },
  };
}

const OUR_FAULT: ReadonlySet<Reason> = new Set([
  'overloaded',
  'store-unavailable',
  'lease-lost',
  'signer-keys-unavailable',
  'internal-error',
]);
