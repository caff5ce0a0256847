/** Declares a scope in an environment, so that clients there may be allowed it. */

import { commitAndAwait, type Done, environmentNamed, type OperationContext } from './context.ts';
import { requireEnvironmentName, requireScopeName } from './input.ts';

/** Declares a scope; declaring it again changes nothing. Throws `ChangeRefused`. */
export async function createScope(
  context: OperationContext,
  input: { readonly environment: string; readonly name: string },
): Promise<Done> {
  const name = requireScopeName('NAME', input.name);
  const named = await environmentNamed(context, requireEnvironmentName(input.environment));
  const environment = named.name;
  return await commitAndAwait(context, { kind: 'scope.create', environment, name });
}
