/** The commands of scopes and resources, which an environment declares before a client may have them. */

import { createResource } from '../../operations/create-resource.ts';
import { createScope } from '../../operations/create-scope.ts';
import { listResources, listScopes } from '../../operations/read-directory.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { documentOf } from '../document.ts';
import { changeOutput } from '../outputs.ts';
import { list } from '../text.ts';

const ENVIRONMENT = {
  name: 'environment',
  value: 'ENV',
  required: true,
  doc: 'Environment in which to declare it.',
} as const;
const ONLY_ENVIRONMENT = {
  name: 'environment',
  value: 'ENV',
  doc: 'Only those of an environment.',
};

async function declareScope({ context, args }: StoreCall): Promise<Output> {
  const scope = { name: args.positional('NAME'), environment: args.required('environment') };
  const done = await createScope(context, scope);
  return changeOutput(done, {
    members: scope,
    words: 'Declared.',
    already: 'Was declared already.',
  });
}

async function declareResource({ context, args }: StoreCall): Promise<Output> {
  const resource = { uri: args.positional('URI'), environment: args.required('environment') };
  const done = await createResource(context, resource);
  return changeOutput(done, {
    members: resource,
    words: 'Declared.',
    already: 'Was declared already.',
  });
}

async function scopes({ context, args }: StoreCall): Promise<Output> {
  const declared = await listScopes(context, { environment: args.option('environment') });
  return {
    document: documentOf(declared),
    text: list(
      ['ENVIRONMENT', 'SCOPE'],
      declared.map(({ environment, name }) => [environment, name]),
      'No scope is declared; countersign scope create NAME --environment ENV declares one.',
    ),
  };
}

async function resources({ context, args }: StoreCall): Promise<Output> {
  const declared = await listResources(context, { environment: args.option('environment') });
  return {
    document: documentOf(declared),
    text: list(
      ['ENVIRONMENT', 'RESOURCE'],
      declared.map(({ environment, uri }) => [environment, uri]),
      'No resource is declared; countersign resource create URI --environment ENV declares one.',
    ),
  };
}

export const SCOPE_COMMANDS: readonly Command[] = [
  {
    path: ['scope', 'create'],
    summary: 'Declare a scope in an environment.',
    positionals: [{ name: 'NAME', doc: 'Name of the scope, such as accounts:read.' }],
    options: [ENVIRONMENT],
    examples: ['countersign scope create accounts:read --environment sandbox'],
    changes: true,
    run: declareScope,
  },
  {
    path: ['scope', 'list'],
    summary: 'List the declared scopes.',
    options: [ONLY_ENVIRONMENT],
    examples: ['countersign scope list'],
    run: scopes,
  },
];

export const RESOURCE_COMMANDS: readonly Command[] = [
  {
    path: ['resource', 'create'],
    summary: 'Declare a resource server by its URI (RFC 8707).',
    positionals: [{ name: 'URI', doc: 'Absolute URI without a fragment.' }],
    options: [ENVIRONMENT],
    examples: ['countersign resource create https://api.bank.example --environment production'],
    changes: true,
    run: declareResource,
  },
  {
    path: ['resource', 'list'],
    summary: 'List the declared resources.',
    options: [ONLY_ENVIRONMENT],
    examples: ['countersign resource list'],
    run: resources,
  },
];
