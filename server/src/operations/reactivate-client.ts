/** Lets a suspended client work again: with new tokens only, as none issued before revives. */

import { commitAndAwait, type OperationContext } from './context.ts';
import { requireClientId } from './input.ts';
import { type Reactivated, reactivation, stillSuspended } from './reactivation.ts';

/** Ends every suspension of a client that is open now, or one of them; one that is active stays as it is. Throws `ChangeRefused`. */
export async function reactivateClient(
  context: OperationContext,
  input: { readonly clientId: string; readonly suspensionId?: string | undefined },
): Promise<Reactivated> {
  const owner = { clientId: requireClientId(input.clientId) };
  const ends = await reactivation(context, owner, input.suspensionId);
  const done = await commitAndAwait(context, { kind: 'client.reactivate', ...owner, ...ends });
  return { ...done, remaining: await stillSuspended(context, owner) };
}
