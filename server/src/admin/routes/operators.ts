/** The rows of operators: who may use this API. */

import { createOperator, listOperators, removeOperator } from '../../operations/operators.ts';
import { OPERATORS } from '../../ports/model.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, madeSecret, pageOf, row } from '../route.ts';
import * as schema from '../schemas.ts';

const role = Type.Union(OPERATORS.roles.map((one) => Type.Literal(one)));
const operator = {
  client_id: schema.clientId,
  name: Type.String(),
  role,
  program_id: Type.Optional(schema.programId),
};

export const OPERATOR_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/operators',
    operation: 'operator.list',
    permission: 'operator:read',
    summary: 'List the operators in the order of their creation.',
    response: schema.page(
      schema.record({ ...operator, state: Type.String(), created_at: schema.at }),
    ),
    pages: true,
    run: async (call) => pageOf(call, await listOperators(call.context, call.page)),
  }),
  row({
    method: 'POST',
    path: '/operators',
    operation: 'operator.create',
    permission: 'operator:change',
    summary: 'Let somebody work through this API, in one role; the secret is shown this once.',
    body: schema.strict({
      name: schema.name,
      role,
      program_id: Type.Optional(schema.programId),
    }),
    response: schema.change({
      ...operator,
      token_endpoint: Type.String(),
      secret_id: schema.secretId,
      ...schema.handedOut,
    }),
    creates: true,
    run: async ({ context, body }) => {
      const made = await createOperator(context, { ...body, programId: body.program_id });
      const { clientId, name, role: given, programId, tokenEndpoint, secretId } = made;
      return madeSecret(made, {
        ...{ clientId, name, role: given, programId, tokenEndpoint, secretId },
      });
    },
  }),
  row({
    method: 'DELETE',
    path: '/operators/{client_id}',
    operation: 'operator.remove',
    permission: 'operator:change',
    summary: 'End an operator: none of its tokens is accepted once the receipt is complete.',
    params: { client_id: schema.clientId },
    response: schema.change({ client_id: schema.clientId }),
    run: async ({ context, path }) => {
      const clientId = path.client_id;
      return changed(await removeOperator(context, { clientId }), { clientId });
    },
  }),
];
