/** Ends a client for good: its tokens die, its secrets open nothing, and its id is never given out again. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireClientId } from './input.ts';

/** Deletes a client; deleting it again returns the receipt of the deletion. Throws `ChangeRefused`. */
export async function deleteClient(
  context: OperationContext,
  input: { readonly clientId: string },
): Promise<Done> {
  const clientId = requireClientId(input.clientId);
  return await commitAndAwait(context, { kind: 'client.delete', clientId });
}
