/** The commands of policies. */

import { listPolicies, policyValues, setPolicy } from '../../operations/policies.ts';
import { POLICIES } from '../../ports/policies.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { list, timeText } from '../text.ts';
import { askedOutput, TERMS_OPTIONS, termsOf } from './suspension.ts';

async function listAll({ context }: StoreCall): Promise<Output> {
  const policies = await listPolicies(context);
  const rows = policies.map((policy) => [
    policy.name,
    policy.value,
    policyValues(POLICIES[policy.name]),
    policy.isSet ? `${timeText(policy.setAtMs)} by ${policy.setBy}` : 'not set',
  ]);
  return {
    document: documentOf(policies),
    text: list(['POLICY', 'VALUE', 'MAY BE', 'SET'], rows, ''),
  };
}

async function set({ context, args }: StoreCall): Promise<Output> {
  const { name, value, ...done } = await setPolicy(context, {
    name: args.positional('NAME'),
    value: args.positional('VALUE'),
    ...termsOf({ args }),
  });
  if (done.approval !== undefined) return askedOutput(done, { name, value });
  return changeOutput(done, {
    members: { name, value },
    words: `Set: ${name} is ${value}, for the command line too.`,
    already: `Was ${value} already; this is the receipt of that.`,
  });
}

export const POLICY_COMMANDS: readonly Command[] = [
  {
    path: ['policy', 'list'],
    summary: 'List what this installation has decided for every door.',
    examples: ['countersign policy list'],
    run: listAll,
  },
  {
    path: ['policy', 'set'],
    summary: 'Decide one of the policies; every node and every command follows.',
    positionals: [
      { name: 'NAME', doc: 'Name of the policy: see policy list.' },
      { name: 'VALUE', doc: 'What it is to be.' },
    ],
    options: TERMS_OPTIONS,
    examples: ['countersign policy set reactivation-approvals 1'],
    changes: true,
    run: set,
  },
];
