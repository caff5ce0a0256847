/** Authenticates whoever asks about a token, at introspection and revocation: the same rules as at /token. */

import {
  isRefusal,
  parseTokenQueryForm,
  type Refusal,
  refuse,
  type TokenQuery,
} from '@countersign/protocol';
import type { ClientCredentials } from '../ports/model.ts';
import type { Attempt } from './admission.ts';
import { type Authenticated, authenticate, clientOf } from './authenticate.ts';
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
): Caller | Refusal | Promise<Caller | Refusal> {
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
  return whenKnown(clientOf(authority, query.clientId), (client) =>
    decide(authority, { client, query, attempt }),
  );
}

function decide(
  authority: Authority,
  asked: {
    readonly client: ClientCredentials | undefined;
    readonly query: TokenQuery;
    readonly attempt: Attempt;
  },
): Caller | Refusal {
  const { client, query, attempt } = asked;
  if (!authority.follower.mayDecide()) return refuse('lease-lost');
  const authenticated = authenticate(authority, environmentOf(authority, attempt.environment), {
    client,
    presented: query,
    address: attempt.address,
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
