/** The rows of approvals: what one person asks for and another one allows. */

import { grantApproval, listApprovals, refuseApproval } from '../../operations/approvals.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, row, wholeList } from '../route.ts';
import * as schema from '../schemas.ts';

const params = {
  approval_id: Type.String({
    pattern: '^[a-z][0-9A-Za-z_]{0,47}$',
    description: 'Id of an approval.',
    examples: ['approval_3dR8sKx0QmW5vYbT'],
  }),
};
const approvalChange = schema.change({ approval_id: params.approval_id });

export const APPROVAL_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/approvals',
    operation: 'approval.list',
    permission: 'approval:read',
    summary: 'List what waits for somebody to agree, the newest first.',
    query: {
      all: Type.Optional(
        schema.flag('Also what was granted, refused or has expired; the newest 200.'),
      ),
    },
    response: schema.page(
      schema.record({
        approval_id: params.approval_id,
        asks: Type.String(),
        target: Type.String(),
        state: Type.String(),
        asked_by: Type.String(),
        asked_at: schema.at,
        expires_at: schema.at,
        reason: Type.Optional(Type.String()),
      }),
    ),
    run: async ({ context, query }) =>
      wholeList(await listApprovals(context, { pendingOnly: query.all !== true })),
  }),
  row({
    method: 'POST',
    path: '/approvals/{approval_id}/grant',
    operation: 'approval.grant',
    permission: 'approval:decide',
    summary: 'Agree to what somebody else has asked for: it is done at once.',
    params,
    response: approvalChange,
    run: async ({ context, path }) => {
      const approvalId = path.approval_id;
      return changed(await grantApproval(context, { approvalId }), { approvalId });
    },
  }),
  row({
    method: 'POST',
    path: '/approvals/{approval_id}/refuse',
    operation: 'approval.refuse',
    permission: 'approval:decide',
    summary: 'Say no to what was asked for, or take it back.',
    params,
    body: schema.strict({ reason: Type.Optional(schema.reason) }),
    response: approvalChange,
    run: async ({ context, path, body }) => {
      const approvalId = path.approval_id;
      return changed(await refuseApproval(context, { approvalId, ...body }), { approvalId });
    },
  }),
];
