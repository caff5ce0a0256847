/** Lets a suspended client work again: with new tokens only, as none issued before revives. */

import type { OperationContext } from './context.ts';
import { requireClientId } from './input.ts';
import { type Reactivated, type ReactivationTerms, reactivate } from './reactivation.ts';

/**
 * Ends every suspension of a client that is open now, or one of them; one that is active stays as it is. Where the policy demands an
 * approval, it is asked for instead. Throws `ChangeRefused`.
 */
export async function reactivateClient(
  context: OperationContext,
  input: ReactivationTerms & { readonly clientId: string },
): Promise<Reactivated> {
  return await reactivate(context, { clientId: requireClientId(input.clientId) }, input);
}
