/** Signs messages to webhooks as Standard Webhooks has it. Knows no receiver and no clock. */

import { createHmac } from 'node:crypto';
import type { Randomness } from '../ports/clock.ts';
import { Secret } from './secret-value.ts';

const SECRET_BYTES = 32;

/** What a receiver verifies with: `whsec_` and base64, as its libraries take it. */
export function newWebhookSecret(random: Randomness): {
  readonly bytes: Buffer;
  readonly secret: Secret;
} {
  const bytes = Buffer.from(random.bytes(SECRET_BYTES));
  return { bytes, secret: new Secret(`whsec_${bytes.toString('base64')}`) };
}

/** The headers that a receiver knows a message by. The id is the same at each attempt, the time is the attempt's. */
export function signedHeaders(
  secret: Uint8Array,
  message: { readonly id: string; readonly atMs: number; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(message.atMs / 1000));
  const signature = createHmac('sha256', secret)
    .update(`${message.id}.${timestamp}.${message.body}`)
    .digest('base64');
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
