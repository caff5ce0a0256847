/** What becomes of an endpoint's exception: a line in the log, and an answer that grants nothing and tells nothing. */

import { refuse } from '@countersign/protocol';
import type { Answer } from '../endpoints/exchange.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Answering, Exchange } from './answering.ts';
import { describeError } from './describe-error.ts';

/** An outage makes every request fail alike; more lines a second would say no more. */
const OUTAGE_LOG_INTERVAL_MS = 1_000;

export type Explain = (error: unknown, exchange: Exchange, path: string) => Answer;

/** Builds the explanation of failures, which logs as it goes. */
export function makeExplain(
  { refusalAnswer }: Pick<Answering, 'refusalAnswer'>,
  log: Log,
  clock: Clock,
): Explain {
  let outageLoggedMs = Number.NEGATIVE_INFINITY;
  return (error, exchange, path) => {
    const refusal = isOutage(error) ? refuse('store-unavailable') : refuse('internal-error');
    const answer = refusalAnswer(exchange, refusal, { isLoggedElsewhere: true });
    const fields = { requestId: answer.requestId, path, error: describeError(error) };
    if (refusal.reason === 'internal-error') {
      log.error(fields, 'a request failed');
      return answer;
    }
    const nowMs = clock.monotonicMs();
    if (nowMs - outageLoggedMs >= OUTAGE_LOG_INTERVAL_MS) {
      outageLoggedMs = nowMs;
      log.warn(fields, 'the store is unavailable; requests are answered 503');
    }
    return answer;
  };
}

function isOutage(error: unknown): boolean {
  return error instanceof Error && error.name === 'StoreUnavailable';
}
