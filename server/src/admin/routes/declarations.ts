/** The rows of scopes and resources, which an environment declares before a client may have them. */

import { createResource } from '../../operations/create-resource.ts';
import { createScope } from '../../operations/create-scope.ts';
import { listResources, listScopes } from '../../operations/read-directory.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, row, wholeList } from '../route.ts';
import * as schema from '../schemas.ts';

const query = { environment: Type.Optional(schema.environment) };
const scope = { name: schema.text('Name of the scope.'), environment: schema.environment };
const resource = { uri: schema.text('Absolute URI.'), environment: schema.environment };

export const DECLARATION_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/scopes',
    operation: 'scope.list',
    permission: 'declaration:read',
    summary: 'List the declared scopes.',
    about: 'own',
    query,
    response: schema.page(schema.record(scope)),
    run: async ({ context, query: { environment } }) =>
      wholeList(await listScopes(context, { environment })),
  }),
  row({
    method: 'POST',
    path: '/scopes',
    operation: 'scope.create',
    permission: 'declaration:create',
    summary: 'Declare a scope in an environment.',
    body: schema.strict(scope),
    response: schema.change(scope),
    creates: true,
    run: async ({ context, body }) => changed(await createScope(context, body), body),
  }),
  row({
    method: 'GET',
    path: '/resources',
    operation: 'resource.list',
    permission: 'declaration:read',
    summary: 'List the declared resources.',
    about: 'own',
    query,
    response: schema.page(schema.record(resource)),
    run: async ({ context, query: { environment } }) =>
      wholeList(await listResources(context, { environment })),
  }),
  row({
    method: 'POST',
    path: '/resources',
    operation: 'resource.create',
    permission: 'declaration:create',
    summary: 'Declare a resource server by its URI (RFC 8707).',
    body: schema.strict(resource),
    response: schema.change(resource),
    creates: true,
    run: async ({ context, body }) => changed(await createResource(context, body), body),
  }),
];
