/** What becomes of an endpoint's exception: a line in the log, and an answer that grants nothing and tells nothing. */

import type { Answer } from '../endpoints/exchange.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { describeError } from './describe-error.ts';
import { FAILED, STORE_UNAVAILABLE } from './refusals.ts';

/** An outage makes every request fail alike; more lines a second would say no more. */
const OUTAGE_LOG_INTERVAL_MS = 1_000;

export type Explain = (
  error: unknown,
  where: { readonly requestId: string; readonly path: string },
) => Answer;

/** Builds the explanation of failures, which logs as it goes. */
export function makeExplain(log: Log, clock: Clock): Explain {
  let outageLoggedMs = Number.NEGATIVE_INFINITY;
  return (error, { requestId, path }) => {
    const fields = { requestId, path, error: describeError(error) };
    if (!isOutage(error)) {
      log.error(fields, 'a request failed');
      return FAILED;
    }
    const nowMs = clock.monotonicMs();
    if (nowMs - outageLoggedMs >= OUTAGE_LOG_INTERVAL_MS) {
      outageLoggedMs = nowMs;
      log.warn(fields, 'the store is unavailable; requests are answered 503');
    }
    return STORE_UNAVAILABLE;
  };
}

function isOutage(error: unknown): boolean {
  return error instanceof Error && error.name === 'StoreUnavailable';
}
