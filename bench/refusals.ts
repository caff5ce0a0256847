/** Suspends programs whose tokens are being used at subscribed APIs, and tells when each was refused. Knows no framework. */

import { Agent, get } from 'node:http';
import { commitAndAwait, type OperationContext } from '../server/src/operations/context.ts';
import { type Onboarded, requestToken } from '../server/src/testing/onboarding.ts';
import type { Api } from './apis.ts';

/** One request with the token. */
export type Poll = { readonly beganMs: number; readonly endedMs: number; readonly status: number };

export type Refusals = {
  readonly toReceiptMs: number[];
  /** From asking for the suspension to the first refusal of all, which may come before the receipt. */
  readonly toRefusalMs: number[];
  /** From the receipt to the refusal of the first request that began after it. */
  readonly receiptToRefusalMs: number[];
  /** Requests that began after the receipt and were accepted: must be none. */
  accepted: number;
  /** Requests that began after the receipt and were told 503: no acceptance, but not an answer either. */
  unavailable: number;
  /** All requests that began after a receipt. */
  judged: number;
};

/** Good answers before a suspension: the token is in use, and remembered. */
const ACCEPTED_BEFORE = 5;
const REFUSED_AFTER = 5;
const POLLS_MAX = 100_000;
const SUBSCRIBERS = 'subscribers:';

export function noRefusals(): Refusals {
  const times = { toReceiptMs: [], toRefusalMs: [], receiptToRefusalMs: [] };
  return { ...times, accepted: 0, unavailable: 0, judged: 0 };
}

/** Suspends each of `programs` while its token is used at one of the APIs. */
export async function refuseEach(
  parts: {
    readonly context: OperationContext;
    readonly authorityUrl: string;
    readonly apis: readonly Api[];
  },
  programs: readonly Onboarded[],
): Promise<Refusals> {
  const refusals = noRefusals();
  for (const [index, program] of programs.entries()) {
    const url = parts.apis[index % parts.apis.length]?.url ?? '';
    const token = await requestToken(parts.authorityUrl, program);
    if (token === undefined) throw new Error('a live client was given no token');
    count(refusals, await suspendInUse(parts.context, { program, url, token }));
  }
  return refusals;
}

type Suspended = {
  readonly askedMs: number;
  readonly receiptMs: number;
  readonly polls: readonly Poll[];
};

async function suspendInUse(
  context: OperationContext,
  used: { readonly program: Onboarded; readonly url: string; readonly token: string },
): Promise<Suspended> {
  const { url, token, program } = used;
  const polls: Poll[] = [];
  const agent = new Agent({ keepAlive: true });
  const poll = async (): Promise<number> => {
    const beganMs = performance.now();
    const status = await statusOf(`${url}/guarded`, token, agent);
    polls.push({ beganMs, endedMs: performance.now(), status });
    if (polls.length > POLLS_MAX) throw new Error('a suspended program is never refused');
    return status;
  };
  for (let accepted = 0; accepted < ACCEPTED_BEFORE; accepted += 1) {
    if ((await poll()) !== 200) throw new Error('a good token was refused');
  }
  let receiptMs = Number.POSITIVE_INFINITY;
  const polling = (async () => {
    while (polls.filter(({ beganMs }) => beganMs > receiptMs).length < REFUSED_AFTER) await poll();
  })();
  const askedMs = performance.now();
  const suspension = { kind: 'program.suspend', programId: program.programId } as const;
  const suspended = commitAndAwait(context, { ...suspension, reason: 'bench' }).finally(() => {
    receiptMs = performance.now();
  });
  const [{ receipt }] = await Promise.all([suspended, polling]);
  agent.destroy();
  const isHeard = receipt.confirmed.some(({ node }) => node.startsWith(SUBSCRIBERS));
  if (!receipt.complete || !isHeard) throw new Error('no subscriber has confirmed a suspension');
  return { askedMs, receiptMs, polls };
}

/** Adds what the requests of one suspension came to. */
export function count(refusals: Refusals, { askedMs, receiptMs, polls }: Suspended): void {
  const after = polls.filter(({ beganMs }) => beganMs > receiptMs);
  refusals.judged += after.length;
  refusals.accepted += after.filter(({ status }) => status === 200).length;
  refusals.unavailable += after.filter(({ status }) => status === 503).length;
  refusals.toReceiptMs.push(receiptMs - askedMs);
  const firstOf = (some: readonly Poll[]) => some.find(({ status }) => status === 401)?.endedMs;
  const [first, firstAfter] = [firstOf(polls), firstOf(after)];
  if (first !== undefined) refusals.toRefusalMs.push(first - askedMs);
  if (firstAfter !== undefined) refusals.receiptToRefusalMs.push(firstAfter - receiptMs);
}

function statusOf(url: string, token: string, agent: Agent): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      response.on('end', () => resolve(response.statusCode ?? 0)).on('error', reject);
      response.resume();
    }).on('error', reject);
  });
}
