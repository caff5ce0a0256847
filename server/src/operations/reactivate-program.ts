/** Lets a suspended program work again: with new tokens only, as none issued before revives. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireAnyProgramId } from './input.ts';

/** Reactivates a program; one that is active stays as it is. Throws `ChangeRefused`. */
export async function reactivateProgram(
  context: OperationContext,
  input: { readonly programId: string },
): Promise<Done> {
  const programId = requireAnyProgramId(input.programId);
  return await commitAndAwait(context, { kind: 'program.reactivate', programId });
}
