/** The rows of the audit trail. */

import Type from 'typebox';
import { documentOf } from '../../operations/document.ts';
import { verifyAudit } from '../../operations/verify-audit.ts';
import { type AdminRoute, row, shown } from '../route.ts';
import * as schema from '../schemas.ts';

const line = schema.record({
  sequence: Type.Integer(),
  at_ms: Type.Integer(),
  actor: Type.String(),
  action: Type.String(),
  target: Type.String(),
  change: Type.Optional(Type.Integer()),
  hash: Type.String(),
});

export const AUDIT_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/audit',
    operation: 'audit.list',
    permission: 'audit:read',
    summary: 'List the lines of the audit trail in their order.',
    query: {
      after: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Lines after this one, without a cursor.' }),
      ),
      action: Type.Optional(schema.text('Only those of an action, such as program.suspend.', 64)),
      change: Type.Optional(Type.Integer({ minimum: 1, description: 'Only those of a change.' })),
    },
    response: schema.page(line),
    pages: true,
    run: async ({ context, query, page }) => {
      const { action, change } = query;
      const found = await context.audit.lines({
        limit: page.limit,
        after: page.after ?? query.after ?? 0,
        ...(action === undefined ? {} : { action }),
        ...(change === undefined ? {} : { change }),
      });
      const lines = found.slice(0, page.limit - 1);
      return {
        is: 'page',
        items: documentOf(lines) as readonly object[],
        next: found.length > lines.length ? lines.at(-1)?.sequence : undefined,
      };
    },
  }),
  row({
    method: 'GET',
    path: '/audit/verification',
    operation: 'audit.verify',
    permission: 'audit:read',
    summary: 'Check the chain of the audit trail; names the first line that is wrong.',
    response: schema.record({ intact: Type.Boolean() }),
    run: async ({ context }) => shown(await verifyAudit(context)),
  }),
];
