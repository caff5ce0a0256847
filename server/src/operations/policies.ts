/** What the installation has decided, and deciding it: the table of policies is in ports/policies.ts. */

import { POLICIES, type Policy, type PolicyName } from '../ports/policies.ts';
import { type DoneOrAsked, doOrAsk, type Terms } from './approvals.ts';
import type { OperationContext } from './context.ts';
import { invalid } from './input.ts';

export type ListedPolicy = {
  readonly name: PolicyName;
  readonly value: string;
  /** False: nobody has set it, and this is the fallback. */
  readonly isSet: boolean;
  readonly setAtMs?: number;
  readonly setBy?: string;
  readonly doc: string;
};

const NAMES = Object.keys(POLICIES) as readonly PolicyName[];

/** Every policy, set or not, in the order of the table. */
export async function listPolicies(
  context: Pick<OperationContext, 'directory'>,
): Promise<readonly ListedPolicy[]> {
  const records = await context.directory.policies();
  return NAMES.map((name) => {
    const { doc, fallback } = POLICIES[name];
    const set = records.find((record) => record.name === name);
    if (set === undefined) return { name, value: fallback, isSet: false, doc };
    const { value, setAtMs, setBy } = set;
    return { name, value, isSet: true, setAtMs, setBy, doc };
  });
}

/** Sets a policy for every door; one that demands approvals ends with one. Throws `ChangeRefused`. */
export async function setPolicy(
  context: OperationContext,
  input: Terms & { readonly name: string; readonly value: string },
): Promise<DoneOrAsked & { readonly name: PolicyName; readonly value: string }> {
  const name = requirePolicyName(input.name);
  const value = requirePolicyValue(name, input.value);
  const done = await doOrAsk(context, { kind: 'policy.set', name, value }, input);
  return { name, value, ...done };
}

/** What a policy may be set to, in words. */
export function policyValues({ words, range }: Policy): string {
  const numbers = range === undefined ? [] : [`${range.min} to ${range.max}`];
  return [...numbers, ...words].join(', ');
}

function requirePolicyName(name: string): PolicyName {
  const known = NAMES.find((one) => one === name);
  if (known !== undefined) return known;
  throw invalid(`there is no policy of that name; there are: ${NAMES.join(', ')}`);
}

function requirePolicyValue(name: PolicyName, value: string): string {
  const policy: Policy = POLICIES[name];
  const { range } = policy;
  const number = /^[1-9]\d{0,8}$/.test(value) ? Number(value) : Number.NaN;
  const isInRange = range !== undefined && number >= range.min && number <= range.max;
  if (policy.words.includes(value) || isInRange) return value;
  throw invalid(`${name} must be one of: ${policyValues(policy)}`);
}
