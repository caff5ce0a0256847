/** Turns what an endpoint decides into an answer: a refusal crosses the one bridge and leaves its cause in the log. */

import { errorBody, isRefusal, type Reason, type Refusal, wireOf } from '@countersign/protocol';
import type { Log } from '../ports/log.ts';
import type { Answer, Incoming } from './exchange.ts';
import { whenKnown } from './when-known.ts';

/** A refusal with what the log may know beyond its reason: public names only. */
export type Refused = {
  readonly refusal: Refusal;
  readonly client?: string | undefined;
  /** What is said instead, where the caller is not to be told of the refusal. */
  readonly answer?: Answer;
};

/** What an endpoint makes of a request. */
export type Decision = Answer | Refusal | Refused;

export type Decide = (incoming: Incoming) => Decision | Promise<Decision>;

/** Wraps the decision of an endpoint: logs each refusal under the request's id and answers with its wire form. */
export function answering(
  where: { readonly endpoint: string; readonly environment: string },
  log: Log,
  decide: Decide,
): (incoming: Incoming) => Answer | Promise<Answer> {
  const answerOf = (incoming: Incoming, decision: Decision): Answer => {
    if (!('refusal' in decision) && !isRefusal(decision)) return decision;
    const refused: Refused = 'refusal' in decision ? decision : { refusal: decision };
    const { refusal, client } = refused;
    const fields = {
      requestId: incoming.requestId,
      ...where,
      reason: refusal.reason,
      address: incoming.address,
      client,
    };
    if (OUR_FAULT.has(refusal.reason)) log.warn(fields, 'not decided');
    else log.info(fields, 'refused');
    return refused.answer ?? refusalAnswer(refusal);
  };
  return (incoming) => whenKnown(decide(incoming), (decision) => answerOf(incoming, decision));
}

function refusalAnswer(refusal: Refusal): Answer {
  const wire = wireOf(refusal);
  return { status: wire.status, headers: wire.headers, body: errorBody(wire) };
}

const OUR_FAULT: ReadonlySet<Reason> = new Set([
  'overloaded',
  'store-unavailable',
  'lease-lost',
  'internal-error',
]);
