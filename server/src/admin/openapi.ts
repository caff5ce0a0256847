/** The OpenAPI 3.1 description of the admin API, made from the schemas that validate it. */

import { OPERATORS } from '../ports/model.ts';
import { rolesWith } from './permissions.ts';
import { queryOf } from './reading.ts';
import type { AdminRoute } from './route.ts';

const PROBLEM = { $ref: '#/components/schemas/Problem' };

/** The document, for the API at `base` below an issuer. */
export function openApiDocument(
  routes: readonly AdminRoute[],
  at: { readonly issuer: string; readonly version: string },
): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operationOf(route),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Countersign admin API',
      version: at.version,
      description: 'What operators do with programs, clients, secrets and tokens.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: `${at.issuer}/v1` }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA },
      securitySchemes: {
        operator: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: `${at.issuer}/token`,
              scopes: Object.fromEntries(
                OPERATORS.roles.map((role) => [role, `The role ${role}.`]),
              ),
            },
          },
        },
      },
    },
  };
}

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'Problem details (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer into the body.' },
          parameter: { type: 'string', description: 'Name of a query parameter.' },
          detail: { type: 'string' },
        },
      },
    },
  },
};

function operationOf(route: AdminRoute): object {
  const { operation, summary, permission, body } = route;
  return {
    operationId: operation,
    summary,
    tags: [tagOf(route)],
    // Any one of the roles will do.
    security: rolesWith(permission).map((role) => ({ operator: [role] })),
    'x-permission': permission,
    parameters: parametersOf(route),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: (body.required ?? []).length > 0,
            content: { 'application/json': { schema: body } },
          },
        }),
    responses: responsesOf(route),
  };
}

const tagOf = ({ operation }: AdminRoute): string => operation.split('.')[0] ?? operation;

function parametersOf(route: AdminRoute): readonly object[] {
  const query = queryOf(route);
  const isRequired = (name: string): boolean => query.required?.includes(name) === true;
  return [
    ...Object.entries(route.params.properties).map(([name, schema]) => ({
      ...{ name, in: 'path', required: true, schema },
    })),
    ...Object.entries(query.properties).map(([name, schema]) => ({
      ...{ name, in: 'query', required: isRequired(name), schema },
    })),
    ...headersOf(route).map(([name, description]) => ({
      ...{ name, in: 'header', required: false, description, schema: { type: 'string' } },
    })),
  ];
}

function headersOf(route: AdminRoute): readonly (readonly [string, string])[] {
  const hasTag = route.about !== undefined && route.about !== 'own';
  if (route.method === 'GET') {
    return hasTag && route.path.endsWith('}')
      ? [['If-None-Match', 'An ETag: 304 while nothing has changed.']]
      : [];
  }
  return [
    ...(hasTag ? [['If-Match', 'An ETag: 412 when something has changed since.'] as const] : []),
    ...(route.creates
      ? [['Idempotency-Key', 'Makes it once, however often it is asked for, for a day.'] as const]
      : []),
  ];
}

function responsesOf(route: AdminRoute): Record<string, object> {
  const answered = (description: string): object => ({
    description,
    content: { 'application/json': { schema: route.response } },
  });
  const isChange = route.method !== 'GET';
  const hasTag = headersOf(route).some(([name]) => name === 'If-None-Match');
  return {
    200: answered(route.creates ? 'It was so already, or was made by this key.' : 'Done.'),
    ...(route.creates ? { 201: answered('Made, and acknowledged by every node.') } : {}),
    ...(isChange || route.operation === 'receipt.show'
      ? { 202: answered('Made, and not yet acknowledged by every node: ask at Location.') }
      : {}),
    ...(hasTag ? { 304: { description: 'Nothing has changed.' } } : {}),
    default: {
      description: 'Refused.',
      content: { 'application/problem+json': { schema: PROBLEM } },
    },
  };
}
