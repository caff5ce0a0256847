/** Tells every webhook of the audit trail what it has not heard of: in order, each at its own pace, again until it has heard. */

import { nextDelivery } from '../operations/next-delivery.ts';
import { type NoticeReader, newNoticeReader } from '../operations/notices.ts';
import { type Sent, send } from '../operations/send-delivery.ts';
import type { WebhookRow } from '../ports/webhooks.ts';
import type { Duty, DutyContext } from './duty.ts';

const EVERY_MS = 1_000;
/** A run ends after this time and what is under way then, so that it is known to be alive. */
const RUN_MS_MAX = 60_000;
const LOOK_MS = 500;
const BACK_OFF_MS_MIN = 1_000;
/** How long a receiver that is back may have to wait; it may ask for more itself, within a bound. */
const BACK_OFF_MS_MAX = 5 * 60_000;
const RETRY_AFTER_MS_MAX = 24 * 3_600_000;
const PROBLEM_LENGTH_MAX = 200;

export const DELIVERIES: Duty = {
  name: 'deliver',
  everyMs: EVERY_MS,
  isDue: async (context) => (await dueWebhooks(context)).length > 0,
  run: deliverAll,
};

/** A slow receiver holds up nobody else: each is served by itself, and new ones are looked for meanwhile. */
async function deliverAll(context: DutyContext): Promise<void> {
  const { clock, end } = context;
  const readNotice = newNoticeReader(context);
  const untilMs = clock.monotonicMs() + RUN_MS_MAX;
  const serving = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  for (;;) {
    const mayBegin = !end.aborted && failures.length === 0 && clock.monotonicMs() < untilMs;
    for (const webhook of mayBegin ? await dueWebhooks(context) : []) {
      const { webhookId } = webhook;
      if (serving.has(webhookId)) continue;
      const served = serve({ context, readNotice, untilMs }, webhook)
        .catch((error) => failures.push(error))
        .then(() => {
          serving.delete(webhookId);
        });
      serving.set(webhookId, served);
    }
    if (serving.size === 0) break;
    await Promise.race([...serving.values(), clock.sleep(LOOK_MS)]);
  }
  // A receiver that does not hear is no failure of the duty: here the store could not be asked.
  if (failures.length > 0) throw failures[0];
}

/** Webhooks that have not heard of everything, and may be told now. */
async function dueWebhooks(context: DutyContext): Promise<readonly WebhookRow[]> {
  const { webhooks, audit, checkpoints, clock } = context;
  const able = (await webhooks.list()).filter((webhook) => mayTry(webhook, clock.wallMs()));
  if (able.length === 0) return [];
  const [head, latest] = [await audit.head(), await checkpoints.latest()];
  return able.filter(
    ({ cursor, checkpointCursor, sends }) =>
      cursor < head.sequence ||
      (sends === 'audit' && latest !== undefined && checkpointCursor < latest.sequence),
  );
}

/** A time that is further away than any back-off was written by a clock that was wrong. */
function mayTry({ disabled, nextTryAtMs }: WebhookRow, nowMs: number): boolean {
  return !disabled && (nextTryAtMs <= nowMs || nextTryAtMs > nowMs + RETRY_AFTER_MS_MAX);
}

type Serving = {
  readonly context: DutyContext;
  readonly readNotice: NoticeReader;
  readonly untilMs: number;
};

/** One message after the other, until it has heard everything, one fails, or time is up. */
async function serve({ context, readNotice, untilMs }: Serving, first: WebhookRow): Promise<void> {
  const { clock, end, webhooks } = context;
  let webhook = first;
  while (!end.aborted && clock.monotonicMs() < untilMs) {
    const { to, delivery } = await nextDelivery(context, webhook, readNotice);
    if (delivery !== undefined) {
      const sent = await send(context, webhook, { ...delivery, end });
      if (!sent.delivered) return await putOff(context, webhook, sent);
    } else if (to.cursor === webhook.cursor) return;
    const deliveredAtMs = delivery === undefined ? {} : { deliveredAtMs: clock.wallMs() };
    // Somebody else has moved it on, or it is gone: then that one goes on from there.
    if (!(await webhooks.advance({ from: webhook, to, ...deliveredAtMs }))) return;
    webhook = { ...webhook, ...to, failures: 0 };
  }
}

async function putOff(
  context: DutyContext,
  webhook: WebhookRow,
  sent: Extract<Sent, { delivered: false }>,
): Promise<void> {
  const { webhooks, changes, clock, report, actor, end, randomness } = context;
  const { webhookId, failures } = webhook;
  // Cut off by ourselves.
  if (end.aborted) return;
  const problem = sent.problem.slice(0, PROBLEM_LENGTH_MAX);
  if (sent.gone) {
    report.warn({ webhook: webhookId, problem }, 'webhook disabled: its receiver says it is gone');
    const change = { kind: 'webhook.disable', webhookId, reason: problem } as const;
    await changes.commit({ change, actor, atMs: clock.wallMs() });
    return;
  }
  const backOffMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** Math.min(failures, 20));
  // From 0.75 to 1.25, so that many do not come back at once.
  const spreadMs = backOffMs * (0.75 + randomness.bytes(1).readUInt8() / 510);
  const askedMs = Math.min(sent.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
  const waitMs = Math.round(Math.max(spreadMs, askedMs));
  report.warn({ webhook: webhookId, problem, failures: failures + 1, waitMs }, 'webhook not heard');
  await webhooks.failed({ from: webhook, problem, nextTryAtMs: clock.wallMs() + waitMs });
}
