/** Stops a program: from its receipt on, no node accepts any token of any of its clients. */

import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireProgramId, requireReason } from './input.ts';

/** Suspends a program. Suspending what is suspended returns the receipt of the earlier change. Throws `ChangeRefused`. */
export async function suspendProgram(
  context: OperationContext,
  input: { readonly programId: string; readonly reason: string },
): Promise<Done> {
  return await commitAndAwait(context, {
    kind: 'program.suspend',
    programId: requireProgramId(input.programId),
    reason: requireReason(input.reason),
  });
}
