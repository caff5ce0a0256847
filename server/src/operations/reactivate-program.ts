/** Lets a suspended program work again: with new tokens only, as none issued before revives. */

import type { OperationContext } from './context.ts';
import { requireAnyProgramId } from './input.ts';
import { type Reactivated, type ReactivationTerms, reactivate } from './reactivation.ts';

/**
 * Ends every suspension of a program that is open now, or one of them; one that is active stays as it is. Where the policy demands an
 * approval, it is asked for instead. Throws `ChangeRefused`.
 */
export async function reactivateProgram(
  context: OperationContext,
  input: ReactivationTerms & { readonly programId: string },
): Promise<Reactivated> {
  return await reactivate(context, { programId: requireAnyProgramId(input.programId) }, input);
}
