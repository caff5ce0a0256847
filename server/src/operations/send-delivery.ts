/** One attempt to deliver: signs, sends, and says how it went. Neither repeats nor remembers anything. */

import { signedHeaders } from '../credentials/webhook-signature.ts';
import type { WebhookRow } from '../ports/webhooks.ts';
import type { OperationContext } from './context.ts';
import type { NextDelivery } from './next-delivery.ts';
import { webhookName } from './webhook-name.ts';

/** 410: the receiver wants no more, ever (Standard Webhooks). */
const GONE = 410;

export type Sent =
  | { readonly delivered: true; readonly answer: string }
  | {
      readonly delivered: false;
      readonly problem: string;
      readonly gone: boolean;
      /** How long the receiver asked to be left alone. */
      readonly retryAfterMs?: number;
    };

export async function send(
  { keyRing, deliveries, clock }: Pick<OperationContext, 'keyRing' | 'deliveries' | 'clock'>,
  webhook: WebhookRow,
  delivery: NextDelivery & { readonly end?: AbortSignal },
): Promise<Sent> {
  const { target, webhookId, wrapped } = webhook;
  const { id, body, end } = delivery;
  try {
    if (wrapped === undefined) {
      await deliveries.append(new URL(target), delivery);
      return { delivered: true, answer: 'written' };
    }
    const secret = keyRing.unwrapNamed(wrapped, webhookName(webhookId));
    const signed = signedHeaders(secret, { id, body, atMs: clock.wallMs() });
    secret.fill(0);
    const headers = { 'content-type': 'application/json', 'user-agent': AGENT, ...signed };
    const { status, retryAfterMs } = await deliveries.post({ url: target, headers, body }, end);
    const answer = `HTTP ${status}`;
    if (status >= 200 && status < 300) return { delivered: true, answer };
    const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
    return { delivered: false, problem: answer, gone: status === GONE, ...asked };
  } catch (error) {
    return { delivered: false, problem: (error as Error).message, gone: false };
  }
}

const AGENT = 'countersign';
