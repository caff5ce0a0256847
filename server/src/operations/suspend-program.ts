/** Stops a program: from its receipt on, no node accepts any token of any of its clients. */

import type { OperationContext } from './context.ts';
import { requireProgramId, requireReason } from './input.ts';
import { type Suspended, suspendAndAwait, suspensionEnd } from './suspension-end.ts';

/**
 * Suspends a program, until a moment if one is given. The same suspension once more returns the receipt of the earlier change; one with
 * another reason or end is added to those that are open. Throws `ChangeRefused`.
 */
export async function suspendProgram(
  context: OperationContext,
  input: {
    readonly programId: string;
    readonly reason: string;
    readonly untilMs?: number | undefined;
  },
): Promise<Suspended> {
  return await suspendAndAwait(context, {
    kind: 'program.suspend',
    programId: requireProgramId(input.programId),
    reason: requireReason(input.reason),
    ...suspensionEnd(context, input.untilMs),
  });
}
