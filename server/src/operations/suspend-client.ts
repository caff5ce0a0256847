/** Stops one client: from its receipt on, no node accepts any of its tokens. */

import type { OperationContext } from './context.ts';
import { requireClientId, requireReason } from './input.ts';
import { type Suspended, suspendAndAwait, suspensionEnd } from './suspension-end.ts';

/**
 * Suspends a client, until a moment if one is given. The same suspension once more returns the receipt of the earlier change; one with
 * another reason or end is added to those that are open. Throws `ChangeRefused`.
 */
export async function suspendClient(
  context: OperationContext,
  input: {
    readonly clientId: string;
    readonly reason: string;
    readonly untilMs?: number | undefined;
  },
): Promise<Suspended> {
  return await suspendAndAwait(context, {
    kind: 'client.suspend',
    clientId: requireClientId(input.clientId),
    reason: requireReason(input.reason),
    ...suspensionEnd(context, input.untilMs),
  });
}
