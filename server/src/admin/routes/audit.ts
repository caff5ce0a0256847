/** The rows of the audit trail. */

import { checkpointDocument } from '../../operations/audit-records.ts';
import { documentOf } from '../../operations/document.ts';
import { recordExport } from '../../operations/export-audit.ts';
import { makeCheckpoint } from '../../operations/make-checkpoint.ts';
import { verifyAudit } from '../../operations/verify-audit.ts';
import { Type } from '../json-schema.ts';
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

const checkpoint = {
  sequence: Type.Integer({ description: 'The line that it was made at.' }),
  hash: Type.String(),
  at: schema.at,
  incarnation: Type.String(),
  key_id: Type.String(),
  signature: Type.String({ description: 'Ed25519, base64url; formats.md has the text.' }),
};

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
  row({
    method: 'GET',
    path: '/audit/export',
    operation: 'audit.export',
    permission: 'audit:export',
    summary: 'The lines as they stand in an export, in pages; the first page leaves a line itself.',
    query: {
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Lines after this one.' })),
    },
    response: schema.page(
      schema.record({
        sequence: Type.Integer(),
        hash: Type.String(),
        line: Type.String({ description: 'The very text that the hash covers.' }),
      }),
    ),
    pages: true,
    run: async ({ context, query, page }) => {
      const after = page.after ?? query.after ?? 0;
      if (page.after === undefined) await recordExport(context, after);
      const found = await context.audit.chain({ after, limit: page.limit });
      const items = found.slice(0, page.limit - 1);
      const next = found.length > items.length ? items.at(-1)?.sequence : undefined;
      return { is: 'page', items, next };
    },
  }),
  row({
    method: 'GET',
    path: '/audit/checkpoints',
    operation: 'checkpoint.list',
    permission: 'audit:read',
    summary: 'List signed checkpoints of the audit trail in the order of their lines.',
    query: {
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Of lines after this one.' })),
    },
    response: schema.page(schema.record(checkpoint)),
    pages: true,
    run: async ({ context, query, page }) => {
      const after = page.after ?? query.after ?? 0;
      const found = await context.checkpoints.list({ after, limit: page.limit });
      const listed = found.slice(0, page.limit - 1);
      const next = found.length > listed.length ? listed.at(-1)?.sequence : undefined;
      return { is: 'page', items: listed.map(checkpointDocument), next };
    },
  }),
  row({
    method: 'POST',
    path: '/audit/checkpoints',
    operation: 'audit.checkpoint',
    permission: 'audit:sign',
    summary: 'Sign where the audit trail stands now.',
    response: schema.record({
      ...checkpoint,
      public_key: Type.String({ description: 'Raw Ed25519 key, base64url.' }),
      made: Type.Boolean({ description: 'False: nothing was written since this one.' }),
    }),
    run: async ({ context }) => {
      const { checkpoint: signed, publicKey, made } = await makeCheckpoint(context);
      const document = { ...checkpointDocument(signed), public_key: publicKey, made };
      return { is: 'document', document };
    },
  }),
];
