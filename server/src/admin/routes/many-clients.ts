/** The rows about many clients at once: those that nobody uses, and those that have to stop together. */

import { documentOf } from '../../operations/document.ts';
import { listDormant } from '../../operations/dormant-clients.ts';
import { previewSuspension, suspendClients } from '../../operations/suspend-clients.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, row, shown, wholeList } from '../route.ts';
import * as schema from '../schemas.ts';
import { endApproval, SUSPENDING, suspended, untilOf } from '../suspending.ts';

const where = schema.list(
  schema.text('program=ID, environment=ENV, name~TEXT or created-before=TIME', 300),
  'Conditions that all must meet; at least one.',
  4,
);

export const MANY_CLIENTS_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/dormant-clients',
    operation: 'client.dormant',
    permission: 'client:report',
    summary: 'List the active clients that nobody has used for long.',
    query: {
      days: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 3_650, description: 'Default: the policy.' }),
      ),
    },
    response: schema.page(
      schema.record({
        client_id: schema.clientId,
        program_id: schema.programId,
        last_used_at: Type.Optional(schema.at),
      }),
    ),
    run: async ({ context, query }) => wholeList(await listDormant(context, query)),
  }),
  row({
    method: 'POST',
    path: '/bulk/suspend-clients',
    operation: 'client.suspend-many',
    permission: 'client:suspend',
    summary: 'Stop every client that meets the conditions, in parts of a thousand.',
    body: schema.strict({ ...SUSPENDING.properties, where }),
    response: schema.change({
      matched: Type.Integer(),
      suspended: Type.Integer({ description: 'The others were suspended so already.' }),
      ...endApproval,
    }),
    run: async (call) => {
      const { context, body } = call;
      const input = { where: body.where, reason: body.reason, untilMs: untilOf(call) };
      const { matched, suspended: count, ...done } = await suspendClients(context, input);
      return suspended(done, { matched, suspended: count });
    },
  }),
  row({
    method: 'POST',
    path: '/bulk/suspend-clients/preview',
    operation: 'client.suspend-many.preview',
    permission: 'client:suspend',
    summary: 'Count and name what would be suspended, and change nothing.',
    body: schema.strict({ where }),
    response: schema.record({
      matched: Type.Integer(),
      active: Type.Integer(),
      clients: Type.Array(schema.record({ client_id: schema.clientId, name: Type.String() })),
    }),
    run: async ({ context, body }) => shown(documentOf(await previewSuspension(context, body))),
  }),
];
