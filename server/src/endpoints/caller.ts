/** Authenticates whoever asks about a token, at introspection and revocation: the same rules as at /token. */

import {
  isRefusal,
  parseTokenQueryForm,
  type Refusal,
  refuse,
  type TokenQuery,
} from '@countersign/protocol';
import { type Authenticated, authenticate, clientOf } from './authenticate.ts';
import { type Authority, environmentOf } from './context.ts';
import type { Incoming } from './exchange.ts';
import { readForm } from './form.ts';

export type Caller = Authenticated & { readonly query: TokenQuery };

/** The authenticated caller and what it asks, or why not. */
export async function callerOf(
  authority: Authority,
  ordinal: number,
  incoming: Incoming,
): Promise<Caller | Refusal> {
  const form = readForm(authority, ordinal, incoming);
  if (isRefusal(form)) return form;
  const query = parseTokenQueryForm(form);
  if (isRefusal(query)) return query;

  const attempt = {
    client: authority.replica.clients.find(query.clientId),
    environment: ordinal,
    address: incoming.address,
    nowMs: authority.clock.monotonicMs(),
  };
  const waitMs = authority.admission.waitMs(attempt);
  if (waitMs > 0) return refuse('throttled', { retryAfterSeconds: waitMs / 1000 });
  const found = clientOf(authority, query.clientId);
  const client = found instanceof Promise ? await found : found;

  if (!authority.follower.mayDecide()) return refuse('lease-lost');
  const authenticated = authenticate(authority, environmentOf(authority, ordinal), {
    client,
    presented: query,
    address: incoming.address,
    nowMs: authority.clock.wallMs(),
  });
  if (isRefusal(authenticated)) {
    if (authenticated.reason === 'wrong-secret' || authenticated.reason === 'unknown-client') {
      authority.admission.failed(attempt);
    }
    return authenticated;
  }
  return { ...authenticated, query };
}
