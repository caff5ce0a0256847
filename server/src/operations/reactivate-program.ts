/** Lets a suspended program work again: with new tokens only, as none issued before revives. */

import { commitAndAwait, type OperationContext } from './context.ts';
import { requireAnyProgramId } from './input.ts';
import { type Reactivated, reactivation, stillSuspended } from './reactivation.ts';

/** Ends every suspension of a program that is open now, or one of them; one that is active stays as it is. Throws `ChangeRefused`. */
export async function reactivateProgram(
  context: OperationContext,
  input: { readonly programId: string; readonly suspensionId?: string | undefined },
): Promise<Reactivated> {
  const owner = { programId: requireAnyProgramId(input.programId) };
  const ends = await reactivation(context, owner, input.suspensionId);
  const done = await commitAndAwait(context, { kind: 'program.reactivate', ...owner, ...ends });
  return { ...done, remaining: await stillSuspended(context, owner) };
}
