/** Authenticates whoever asks about a token, at introspection and revocation: the same rules as at /token. */

import { isRefusal, parseTokenQueryForm, type TokenQuery } from '@countersign/protocol';
import { isRefused, type Refused } from './answering.ts';
import { type Authenticated, authenticate, clientOf, refuseThrottled } from './authenticate.ts';
import { type Authority, environmentOf } from './context.ts';
import type { Incoming } from './exchange.ts';
import { readForm } from './form.ts';
import { whenKnown } from './when-known.ts';

export type Caller = Authenticated & { readonly query: TokenQuery };

/** The authenticated caller and what it asks, or why not: at once, unless its credentials have to be loaded first. */
export function callerOf(
  authority: Authority,
  ordinal: number,
  incoming: Incoming,
): Caller | Refused | Promise<Caller | Refused> {
  const form = readForm(authority, incoming);
  if (isRefusal(form)) return { refusal: form };
  const query = parseTokenQueryForm(form);
  if (isRefusal(query)) return { refusal: query };

  const { address } = incoming;
  const throttled = refuseThrottled(authority, ordinal, { clientId: query.clientId, address });
  if (throttled !== undefined) return throttled;
  return whenKnown(clientOf(authority, query.clientId), (client) => {
    const nowMs = authority.clock.wallMs();
    const attempt = { client, presented: query, address, nowMs };
    const decision = authenticate(authority, environmentOf(authority, ordinal), attempt);
    return isRefused(decision) ? decision : { ...decision, query };
  });
}
