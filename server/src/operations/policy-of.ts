/** What the installation has decided about one matter. */

import { POLICIES, type PolicyName } from '../ports/policies.ts';
import type { OperationContext } from './context.ts';

/** What a policy stands at now. */
export async function policyOf(
  context: Pick<OperationContext, 'directory'>,
  name: PolicyName,
): Promise<string> {
  const set = (await context.directory.policies()).find((policy) => policy.name === name);
  return set?.value ?? POLICIES[name].fallback;
}
