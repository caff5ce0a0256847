/** The rows of webhooks: who is told of the audit trail. */

import { documentOf } from '../../operations/document.ts';
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  resumeWebhook,
  showWebhook,
  testWebhook,
} from '../../operations/webhooks.ts';
import { Type } from '../json-schema.ts';
import { type AdminRoute, changed, row, shown, wholeList } from '../route.ts';
import * as schema from '../schemas.ts';

const sends = Type.Union([Type.Literal('audit'), Type.Literal('notices')], {
  description: 'Every line of the audit trail with its checkpoints, or notices.',
});
const path = { webhook_id: schema.webhookId };
const target = schema.text(
  'https: URL, or http: to the machine of the server. A file is for the command line.',
  2_048,
);
const webhook = schema.record({
  ...path,
  target: Type.String(),
  sends,
  program_id: Type.Optional(schema.programId),
  disabled: Type.Boolean(),
  delivered_to: Type.Integer({ description: 'The last line of the trail that it has heard of.' }),
  behind: Type.Integer({ description: 'Lines that it has not heard of.' }),
  behind_seconds: Type.Integer({ description: 'How long the first of them has waited.' }),
  failures: Type.Integer(),
  problem: Type.Optional(Type.String()),
  created_at: schema.at,
});

export const WEBHOOK_ROUTES: readonly AdminRoute[] = [
  row({
    method: 'GET',
    path: '/webhooks',
    operation: 'webhook.list',
    permission: 'webhook:read',
    summary: 'List webhooks and how far behind each is.',
    response: schema.page(webhook),
    run: async ({ context }) => wholeList(await listWebhooks(context)),
  }),
  row({
    method: 'POST',
    path: '/webhooks',
    operation: 'webhook.create',
    permission: 'webhook:change',
    summary: 'Have a URL told of the audit trail, or sent notices; the secret is shown this once.',
    body: schema.strict({
      target,
      sends,
      program_id: Type.Optional(schema.programId),
      after: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Begin after this line of the trail.' }),
      ),
    }),
    response: schema.change({
      ...path,
      target: Type.String(),
      sends,
      secret: Type.Optional(Type.String({ description: 'What its receiver verifies with.' })),
    }),
    creates: true,
    run: async ({ context, body }) => {
      const { program_id: programId, ...asked } = body;
      const made = await createWebhook(context, { ...asked, programId });
      const { webhookId, secret } = made;
      const result = changed(made, { webhookId, target: made.target, sends: made.sends });
      return { ...result, secrets: { secret } };
    },
  }),
  row({
    method: 'GET',
    path: '/webhooks/{webhook_id}',
    operation: 'webhook.show',
    permission: 'webhook:read',
    summary: 'Show a webhook and why it is behind.',
    params: path,
    response: webhook,
    run: async ({ context, path: { webhook_id: webhookId } }) =>
      shown(await showWebhook(context, { webhookId })),
  }),
  row({
    method: 'POST',
    path: '/webhooks/{webhook_id}/test',
    operation: 'webhook.test',
    permission: 'webhook:change',
    summary: 'Send one test message, and say how it was answered.',
    params: path,
    response: schema.record({ ...path, delivered: Type.Boolean(), answer: Type.String() }),
    run: async ({ context, path: { webhook_id: webhookId } }) => {
      const result = await testWebhook(context, { webhookId });
      return { is: 'document', document: documentOf(result) as object };
    },
  }),
  row({
    method: 'POST',
    path: '/webhooks/{webhook_id}/resume',
    operation: 'webhook.resume',
    permission: 'webhook:change',
    summary: 'Send to a disabled webhook again, from the last line that it heard.',
    params: path,
    response: schema.change(path),
    run: async ({ context, path: { webhook_id: webhookId } }) =>
      changed(await resumeWebhook(context, { webhookId }), { webhookId }),
  }),
  row({
    method: 'DELETE',
    path: '/webhooks/{webhook_id}',
    operation: 'webhook.delete',
    permission: 'webhook:change',
    summary: 'Send nothing more to a webhook.',
    params: path,
    response: schema.change(path),
    run: async ({ context, path: { webhook_id: webhookId } }) =>
      changed(await deleteWebhook(context, { webhookId }), { webhookId }),
  }),
];
