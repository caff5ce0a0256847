/** The commands of operators: who may use the admin API. */

import { createOperator, listOperators, removeOperator } from '../../operations/operators.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput, secretOutput } from '../outputs.ts';
import { list, timeText } from '../text.ts';

async function create({ context, args }: StoreCall): Promise<Output> {
  const made = await createOperator(context, {
    name: args.positional('NAME'),
    role: args.required('role'),
    programId: args.option('program'),
  });
  const { clientId, name, role, programId, tokenEndpoint, secretId } = made;
  return secretOutput(made, {
    members: { clientId, name, role, programId, tokenEndpoint, secretId },
    words: 'Created.',
    entries: [
      ['role', role],
      ['program', programId],
      ['token_endpoint', tokenEndpoint],
      ['client_id', clientId],
    ],
  });
}

async function listAll({ context }: StoreCall): Promise<Output> {
  const operators = await listOperators(context);
  return {
    document: documentOf(operators),
    text: list(
      ['OPERATOR', 'ROLE', 'STATE', 'PROGRAM', 'CREATED', 'NAME'],
      operators.map((operator) => [
        operator.clientId,
        operator.role,
        operator.state,
        operator.programId ?? '-',
        timeText(operator.createdAtMs) ?? '',
        operator.name,
      ]),
      'There is no operator yet; countersign operator create NAME --role admin makes the first.',
    ),
  };
}

async function remove({ context, args }: StoreCall): Promise<Output> {
  const clientId = args.positional('ID');
  return changeOutput(await removeOperator(context, { clientId }), {
    members: { clientId },
    words: 'Removed: its tokens are dead and it gets no new ones.',
    already: 'Was removed already; this is the receipt of that.',
  });
}

export const OPERATOR_COMMANDS: readonly Command[] = [
  {
    path: ['operator', 'create'],
    summary: 'Let somebody work through the admin API, in one role.',
    about:
      'The secret is printed this once. It gets access tokens of 15 minutes at the token endpoint of the admin listener.',
    positionals: [{ name: 'NAME', doc: 'Who or what it is, for people.' }],
    options: [
      {
        name: 'role',
        value: 'admin|support|auditor|partner',
        required: true,
        doc: 'What it may do: docs/reference/admin-api.md has the table.',
      },
      { name: 'program', value: 'ID', doc: 'The program that a partner is bound to.' },
    ],
    examples: [
      "countersign operator create 'Ada Lovelace' --role admin",
      "countersign operator create 'Acme back office' --role partner --program program_8fYk2LmQ9aXc4TzR",
    ],
    changes: true,
    run: create,
  },
  {
    path: ['operator', 'list'],
    summary: 'List the operators.',
    examples: ['countersign operator list'],
    run: listAll,
  },
  {
    path: ['operator', 'remove'],
    summary: 'End an operator: none of its tokens is accepted once the receipt is printed.',
    positionals: [{ name: 'ID', doc: 'Id of the operator: client_admn_…' }],
    examples: ['countersign operator remove client_admn_4Gq8Zk1LwP0xYb3N'],
    changes: true,
    run: remove,
  },
];
