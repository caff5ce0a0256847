/** Sends messages to URLs and appends records to files, bounded in time and memory. Knows neither what it sends nor why. */

import type { Delivered, Deliveries, Message } from '../ports/deliveries.ts';
import { appendRecords } from './append-records.ts';

/** From the connection to the head of the answer. */
const ANSWER_MS_MAX = 15_000;

export function newDeliveries(): Deliveries {
  return { post, append: appendRecords };
}

async function post({ url, headers, body }: Message, end?: AbortSignal): Promise<Delivered> {
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  const signal = end === undefined ? late : AbortSignal.any([late, end]);
  try {
    // A redirection is an answer like another: what was signed for one receiver is sent to no other.
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    // Its status is all that counts: not a byte of its body is waited for, however long it is.
    await answer.body?.cancel();
    return { status: answer.status, ...retryAfterOf(answer.headers.get('retry-after')) };
  } catch (error) {
    if (late.aborted) throw new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`);
    throw new Error(causeOf(error as Error));
  }
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterOf(value: string | null): { retryAfterMs?: number } {
  if (value === null) return {};
  if (/^\d{1,9}$/.test(value)) return { retryAfterMs: Number(value) * 1000 };
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? {} : { retryAfterMs: Math.max(0, atMs - Date.now()) };
}

/** The code alone, such as ECONNREFUSED: a message may hold the URL, and a URL a secret. */
function causeOf(error: Error): string {
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : error.name;
}
