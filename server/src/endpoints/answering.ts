/** Turns what an endpoint decides into an answer: a refusal crosses the one bridge and leaves its cause in its id and in the log. */

import { isRefusal, type Refusal } from '@countersign/protocol';
import type { Authority } from './context.ts';
import type { Answer, Incoming } from './exchange.ts';
import type { Asked, RefusedParty } from './refused.ts';
import { whenKnown } from './when-known.ts';

/** A refusal with what its id and the log may know beyond its reason. */
export type Refused = RefusedParty & {
  readonly refusal: Refusal;
  /** What is said instead, where the caller is not to be told of the refusal. */
  readonly answer?: Answer;
  /** How the refusal is said, where that is not the way of the endpoints of OAuth. */
  readonly wire?: Answer;
};

/** What an endpoint makes of a request. */
export type Decision = Answer | Refusal | Refused;

export type Decide = (incoming: Incoming) => Decision | Promise<Decision>;

/** Tells a refusal with its party from the value that was hoped for. */
export function isRefused<T>(value: T): value is Extract<T, { readonly refusal: Refusal }> {
  return typeof value === 'object' && value !== null && 'refusal' in value;
}

/** Wraps the decision of an endpoint: each refusal is answered with its wire form, under an id that says why. */
export function answering(
  { refusing }: Pick<Authority, 'refusing'>,
  asked: Required<Asked>,
  decide: Decide,
): (incoming: Incoming) => Answer | Promise<Answer> {
  const answerOf = (incoming: Incoming, decision: Decision): Answer => {
    if (!isRefused(decision) && !isRefusal(decision)) return decision;
    const refused: Refused = isRefused(decision) ? decision : { refusal: decision };
    const { refusal, answer, wire, ...party } = refused;
    const at = { ...asked, requestId: incoming.requestId, address: incoming.address };
    if (answer === undefined) return { ...refusing.refuse(refusal, at, party), ...wire };
    refusing.note(refusal, at, party);
    return answer;
  };
  return (incoming) => whenKnown(decide(incoming), (decision) => answerOf(incoming, decision));
}
