/** Declares a resource server's URI in an environment, so that tokens can be meant for it (RFC 8707). */

import { commitAndAwait, type Done, environmentNamed, type OperationContext } from './context.ts';
import { requireEnvironmentName, requireResource } from './input.ts';

/** Declares a resource; declaring it again changes nothing. Throws `ChangeRefused`. */
export async function createResource(
  context: OperationContext,
  input: { readonly environment: string; readonly uri: string },
): Promise<Done> {
  const uri = requireResource('URI', input.uri);
  const named = await environmentNamed(context, requireEnvironmentName(input.environment));
  const environment = named.name;
  return await commitAndAwait(context, { kind: 'resource.create', environment, uri });
}
