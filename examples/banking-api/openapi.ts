/** The OpenAPI 3.1 description of the Banking API, made from the rows that serve it. */

import { PROBLEM_TYPE, PROBLEMS, type ProblemName } from './answer.ts';
import { KEY_SCHEMA } from './once.ts';
import { PAGE_PARAMETERS } from './pages.ts';
import type { Route } from './route.ts';
import { SHAPES } from './shapes.ts';

const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };

/** The document, for tokens of one issuer. */
export function openApi(routes: readonly Route[], issuer: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describe(route) };
  }
  const scopes = new Set(routes.flatMap(({ scope }) => scope ?? []));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sample Banking API',
      version: '1',
      description: 'What a program of a partner may do with the accounts that are its own.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: SHAPES,
      headers: {
        RequestId: { description: 'Names this request in the log.', schema: { type: 'string' } },
      },
      securitySchemes: {
        program: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: `${issuer}/token`,
              scopes: Object.fromEntries([...scopes].map((scope) => [scope, `May ${scope}.`])),
            },
          },
        },
      },
    },
  };
}

function describe(route: Route): object {
  const { operation: operationId, summary, scope, body } = route;
  return {
    operationId,
    summary,
    security: scope === undefined ? [] : [{ program: [scope] }],
    parameters: parameters(route),
    requestBody: body && { required: true, content: { 'application/json': schemaOf(body) } },
    responses: responses(route),
  };
}

function parameters({ path, isList, isOnce }: Route): readonly object[] {
  const id = { name: 'account_id', in: 'path', required: true, schema: { type: 'string' } };
  const key = {
    ...{ name: 'Idempotency-Key', in: 'header', required: true, schema: KEY_SCHEMA },
    description: 'Made up for each payment. Sent again, it is answered as the first time.',
  };
  const query = Object.entries(PAGE_PARAMETERS).map(([name, schema]) => ({
    ...{ name, in: 'query', required: false, schema },
  }));
  return [
    ...(path.includes('{account_id}') ? [id] : []),
    ...(isList ? query : []),
    ...(isOnce ? [key] : []),
  ];
}

function schemaOf(body: NonNullable<Route['body']>): object {
  const properties = Object.entries(body).map(([name, { schema }]) => [name, schema]);
  return {
    schema: {
      type: 'object',
      required: Object.keys(body),
      properties: Object.fromEntries(properties),
      additionalProperties: false,
    },
  };
}

function responses(route: Route): Readonly<Record<string, object>> {
  const [status, shape] = route.answer;
  const replayed = {
    'Idempotent-Replayed': {
      description: 'It is the first answer again.',
      schema: { const: 'true' },
    },
  };
  const names = Object.groupBy(refusals(route), (name) => PROBLEMS[name].status);
  return {
    [status]: {
      description: route.summary,
      headers: { ...REQUEST_ID, ...(route.isOnce ? replayed : {}) },
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${shape}` } } },
    },
    ...Object.fromEntries(Object.entries(names).map(([at, some = []]) => [at, refused(some)])),
  };
}

/** Every problem that a route can answer with: what its row implies, and what it names. */
function refusals({ path, scope, isOnce, body, refusals = [] }: Route) {
  const names: ProblemName[] = ['failed', ...refusals];
  // A token in the URL is an invalid request, whatever else the route takes.
  if (scope !== undefined) {
    names.push('invalid-request', 'no-token', 'invalid-token', 'insufficient-scope');
    names.push('temporarily-unavailable');
  }
  if (path.includes('{account_id}')) names.push('not-found');
  if (body !== undefined) names.push('body-too-large', 'not-json');
  if (isOnce) names.push('key-under-way', 'key-reused');
  return names;
}

function refused(names: readonly ProblemName[]): object {
  const type = { enum: names.map((name) => `${PROBLEM_TYPE}${name}`) };
  const schema = { $ref: '#/components/schemas/Problem', properties: { type } };
  return {
    description: `${names.map((name) => PROBLEMS[name].title).join('; or: ')}.`,
    headers: REQUEST_ID,
    content: { 'application/problem+json': { schema } },
  };
}
