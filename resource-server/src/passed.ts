/** Who passed a guard, kept beside the request and not on it, so that nothing else on the way to the handler can say who calls. Knows no framework. */

import type { Identity } from './identity.ts';

const identities = new WeakMap<object, Identity>();

/** `request` is whatever object a framework hands from its guards on to its handlers. */
export function letPass(request: object, identity: Identity): void {
  identities.set(request, identity);
}

/** Throws for a request that passed no guard: a route that is open by mistake then fails, and leaks nothing. */
export function identityOfPassed(request: object): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new Error('no guard has let this request pass');
  return identity;
}
