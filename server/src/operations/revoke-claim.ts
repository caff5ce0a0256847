/** Ends a claim that was not used yet: its link shows nothing any more. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireClaimId } from './input.ts';

/** Revokes a claim; revoking it again returns the receipt of the revocation. Throws `ChangeRefused`, also for a used one. */
export async function revokeClaim(
  context: OperationContext,
  input: { readonly claimId: string },
): Promise<Done> {
  const claimId = requireClaimId(input.claimId);
  return await commitAndAwait(context, { kind: 'claim.revoke', claimId });
}
