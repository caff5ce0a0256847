/** Takes in a partner business: an id for it, and nothing that can be used yet. */

import { newProgramId } from '../credentials/identifiers.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { requireName } from './input.ts';

/** Creates a program. Names need not be unique. Throws `ChangeRefused`. */
export async function createProgram(
  context: OperationContext,
  input: { readonly name: string },
): Promise<Done & { readonly programId: string; readonly name: string }> {
  const programId = newProgramId(context.randomness);
  const name = requireName('NAME', input.name);
  const done = await commitAndAwait(context, { kind: 'program.create', programId, name });
  return { programId, name, ...done };
}
