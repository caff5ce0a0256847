/** Whether a live token may be used from where it was presented, for clients whose tokens are held to their own addresses. */

import { type Refusal, refuse } from '@countersign/protocol';
import type { ClientCredentials } from '../ports/model.ts';
import { isAllowedFrom } from './allowed-addresses.ts';
import type { Authority } from './context.ts';

/**
 * Undefined: it may. A promise: who owns it has to be loaded first, and as the token may die meanwhile, all must be judged anew once it
 * resolves; it rejects with nothing, and resolves to a refusal when there is no such client any more.
 */
export function refuseElsewhere(
  authority: Pick<Authority, 'replica' | 'credentials'>,
  client: number,
  from: string | undefined,
): Refusal | undefined | Promise<Refusal | undefined> {
  if (!authority.replica.clients.verifiesAddress(client)) return undefined;
  const owner = authority.credentials.get(client);
  if (owner !== undefined) return judged(owner, from);
  return authority.credentials
    .load(client)
    .then((loaded) => (loaded === undefined ? refuse('store-unavailable') : undefined));
}

/** Whoever does not say where it was presented is not believed (fail closed). */
function judged(owner: ClientCredentials, from: string | undefined): Refusal | undefined {
  if (from === undefined) return refuse('address-unknown');
  return isAllowedFrom(owner, from) ? undefined : refuse('address-not-allowed');
}
