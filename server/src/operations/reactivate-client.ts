/** Lets a suspended client work again: with new tokens only, as none issued before revives. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireClientId } from './input.ts';

/** Reactivates a client; one that is active stays as it is. Throws `ChangeRefused`. */
export async function reactivateClient(
  context: OperationContext,
  input: { readonly clientId: string },
): Promise<Done> {
  const clientId = requireClientId(input.clientId);
  return await commitAndAwait(context, { kind: 'client.reactivate', clientId });
}
