/** Stops one client: from its receipt on, no node accepts any of its tokens. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireClientId, requireReason } from './input.ts';

/** Suspends a client. Suspending what is suspended returns the receipt of the earlier change. Throws `ChangeRefused`. */
export async function suspendClient(
  context: OperationContext,
  input: { readonly clientId: string; readonly reason: string },
): Promise<Done> {
  return await commitAndAwait(context, {
    kind: 'client.suspend',
    clientId: requireClientId(input.clientId),
    reason: requireReason(input.reason),
  });
}
