/** Webhooks: who is told of the audit trail or sent notices, and how far each has heard. */

import { randomBase62 } from '../credentials/base62.ts';
import type { Secret } from '../credentials/secret-value.ts';
import { newWebhookSecret } from '../credentials/webhook-signature.ts';
import { ChangeRefused } from '../ports/store.ts';
import type { WebhookRow } from '../ports/webhooks.ts';
import { commitAndAwait, type Done, type OperationContext } from './context.ts';
import { invalid, requireProgramId } from './input.ts';
import { send } from './send-delivery.ts';
import { signingKeyOf } from './signing-key.ts';
import { webhookName } from './webhook-name.ts';

const TARGET_LENGTH_MAX = 2_048;
const ID_LENGTH = 16;

export type Webhook = Omit<
  WebhookRow,
  'wrapped' | 'cursor' | 'checkpointCursor' | 'nextTryAtMs'
> & {
  /** The last line of the audit trail that it has heard of, or that was not for it. */
  readonly deliveredTo: number;
  /** Lines that it has not heard of, and how long the first of them has waited. */
  readonly behind: number;
  readonly behindSeconds: number;
};

export type CreatedWebhook = Done & {
  readonly webhookId: string;
  readonly target: string;
  readonly sends: WebhookRow['sends'];
  /** Handed out here and never again; a file has none. */
  readonly secret: Secret | undefined;
};

/** Tells a URL or a file of the audit trail. Throws `ChangeRefused`. */
export async function createWebhook(
  context: OperationContext,
  input: {
    readonly target: string;
    readonly sends: string;
    readonly programId?: string | undefined;
    readonly after?: number | undefined;
    /** The target may be a file of the server: for whoever has a shell there, and no role of an operator. */
    readonly mayBeFile?: boolean;
  },
): Promise<CreatedWebhook> {
  const { keyRing, randomness, audit } = context;
  const { sends } = input;
  if (sends !== 'audit' && sends !== 'notices') throw invalid('--for must be audit or notices');
  const target = requireTarget(input.target, { sends, mayBeFile: input.mayBeFile ?? false });
  if (input.programId !== undefined && sends === 'audit') {
    throw invalid(
      '--program goes with --for notices: the audit trail is one chain, and is sent whole',
    );
  }
  // What is shipped names the key, so that its checkpoints can be checked.
  if (sends === 'audit') await signingKeyOf(context);
  const { sequence: head } = await audit.head();
  // A shipped trail that begins at its first line can be verified whole; notices of the past would be alarms of the past.
  const after = input.after ?? (sends === 'audit' ? 0 : head);
  if (after > head) throw invalid(`--after ${after}: the last line of the trail is ${head}`);
  const webhookId = `webhook_${randomBase62(randomness, ID_LENGTH)}`;
  const isFile = target.startsWith('file:');
  const made = isFile ? undefined : newWebhookSecret(randomness);
  const done = await commitAndAwait(context, {
    kind: 'webhook.create',
    ...{ webhookId, target, sends, after, masterKeyCheck: keyRing.masterKeyCheck() },
    ...(input.programId === undefined ? {} : { programId: requireProgramId(input.programId) }),
    ...(made === undefined
      ? {}
      : { wrapped: keyRing.wrapNamed(made.bytes, webhookName(webhookId)) }),
  });
  made?.bytes.fill(0);
  return { webhookId, target, sends, secret: made?.secret, ...done };
}

export async function listWebhooks(
  context: Pick<OperationContext, 'webhooks' | 'audit' | 'clock'>,
  filter: { readonly webhookId?: string } = {},
): Promise<readonly Webhook[]> {
  const { webhooks, audit, clock } = context;
  const { sequence: head } = await audit.head();
  const nowMs = clock.wallMs();
  const found: Webhook[] = [];
  for (const row of await webhooks.list(filter)) {
    const { wrapped, cursor, checkpointCursor, nextTryAtMs, ...shown } = row;
    const [waiting] = cursor >= head ? [] : await audit.lines({ after: cursor, limit: 1 });
    const waitedMs = waiting === undefined ? 0 : Math.max(0, nowMs - waiting.atMs);
    found.push({
      ...shown,
      target: shownTarget(row.target),
      deliveredTo: cursor,
      behind: Math.max(0, head - cursor),
      behindSeconds: Math.floor(waitedMs / 1000),
    });
  }
  return found;
}

/** Without path and query, in which receivers like to put what nobody else should know. */
function shownTarget(target: string): string {
  const { protocol, origin, href } = new URL(target);
  return protocol === 'file:' || href === `${origin}/` ? target : `${origin}/…`;
}

export async function showWebhook(
  context: OperationContext,
  input: { readonly webhookId: string },
): Promise<Webhook> {
  const { webhookId } = await webhookWith(context, input.webhookId);
  const [found] = await listWebhooks(context, { webhookId });
  if (found === undefined) throw noWebhook();
  return found;
}

/** Deletes a webhook; what it has not heard of it never will. */
export async function deleteWebhook(
  context: OperationContext,
  input: { readonly webhookId: string },
): Promise<Done> {
  const webhookId = requireWebhookId(input.webhookId);
  return await commitAndAwait(context, { kind: 'webhook.delete', webhookId });
}

/** Sends to a webhook again that was disabled, from where it stood. Throws `ChangeRefused`. */
export async function resumeWebhook(
  context: OperationContext,
  input: { readonly webhookId: string },
): Promise<Done> {
  const webhookId = requireWebhookId(input.webhookId);
  return await commitAndAwait(context, { kind: 'webhook.resume', webhookId });
}

/** Sends one message of the type `test`, or sees whether the file can be written, and says how that went. Is itself audited. */
export async function testWebhook(
  context: OperationContext,
  input: { readonly webhookId: string },
): Promise<{ readonly webhookId: string; readonly delivered: boolean; readonly answer: string }> {
  const { changes, actor, clock, randomness } = context;
  const webhook = await webhookWith(context, input.webhookId);
  const { webhookId } = webhook;
  const at = new Date(clock.wallMs()).toISOString();
  const body = JSON.stringify({ type: 'test', timestamp: at, data: { webhook: webhookId, at } });
  const id = `msg_test_${randomBase62(randomness, ID_LENGTH)}`;
  const sent = await send(context, webhook, { id, body, head: '', records: [] });
  const answer = sent.delivered ? sent.answer : sent.problem;
  await changes.record({
    ...{ actor, atMs: clock.wallMs(), action: 'webhook.test', target: webhookId },
    detail: { delivered: sent.delivered, answer },
  });
  return { webhookId, delivered: sent.delivered, answer };
}

async function webhookWith({ webhooks }: OperationContext, id: string): Promise<WebhookRow> {
  const [found] = await webhooks.list({ webhookId: requireWebhookId(id) });
  if (found === undefined) throw noWebhook();
  return found;
}

function requireWebhookId(id: string): string {
  if (/^webhook_[0-9A-Za-z]{16}$/.test(id)) return id;
  throw noWebhook();
}

function noWebhook(): ChangeRefused {
  const message = "there is no such webhook; 'countersign webhook list' shows the ones there are";
  return new ChangeRefused('not-found', message);
}

/**
 * Nothing is sent unencrypted over a network. Private addresses are allowed: it is an administrator who gives the URL, a bank's own
 * systems stand there, and of an answer nothing but its status is ever shown.
 */
function requireTarget(
  target: string,
  { sends, mayBeFile }: { readonly sends: WebhookRow['sends']; readonly mayBeFile: boolean },
): string {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url === undefined || target.length > TARGET_LENGTH_MAX) throw noTarget();
  if (url.protocol === 'file:') {
    if (!mayBeFile) {
      throw invalid("URL must be https: a file is for 'countersign webhook create' on the server");
    }
    if (sends === 'audit' && url.host === '' && url.pathname.length > 1) return url.href;
    throw invalid(
      'a file is for --for audit, by an absolute path: file:///var/log/countersign.jsonl',
    );
  }
  const isAllowed =
    url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!isAllowed || url.username !== '' || url.password !== '' || url.hash !== '') throw noTarget();
  return url.href;
}

function noTarget(): ChangeRefused {
  return invalid(
    'URL must be https (http only to this machine: localhost, 127.0.0.1, [::1]) without a user name and a fragment, or a file: URL',
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
