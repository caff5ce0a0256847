/** Suspends one program after the other and asks every node about its token right after the receipt. Knows no store. */

import { commitAndAwait, type OperationContext } from '../server/src/operations/context.ts';
import {
  introspect,
  type Onboarded,
  onboard,
  requestToken,
} from '../server/src/testing/onboarding.ts';
import type { Nodes } from './nodes.ts';

/** Onboarded at the same time: their receipts are waited for together. */
const ONBOARDED_TOGETHER = 16;
const LOAD_PAUSE_MS = 10;

export type Suspensions = {
  readonly toReceiptMs: number[];
  readonly toRefusedEverywhereMs: number[];
  /** Tokens that a node still accepted after the receipt: must be none. */
  accepted: number;
  /** Answers 503 after the receipt: no acceptance, but not an answer either. */
  unavailable: number;
  readonly load: { requests: number; failures: number };
};

/** Programs with one client each, made by the operator. */
export async function onboardMany(
  context: OperationContext,
  count: number,
): Promise<readonly Onboarded[]> {
  const made: Onboarded[] = [];
  while (made.length < count) {
    const together = Math.min(ONBOARDED_TOGETHER, count - made.length);
    made.push(...(await Promise.all(Array.from({ length: together }, () => onboard(context)))));
  }
  return made;
}

/** Suspends each of `programs` under load. Rejects when a token was not live everywhere before. */
export async function suspendEach(
  nodes: Nodes,
  programs: readonly Onboarded[],
  tell: (done: number) => void,
): Promise<Suspensions> {
  const asker = await onboard(nodes.context, { resourceServer: true });
  const measured: Suspensions = {
    toReceiptMs: [],
    toRefusedEverywhereMs: [],
    accepted: 0,
    unavailable: 0,
    load: { requests: 0, failures: 0 },
  };
  const ending = new AbortController();
  const loads = nodes.servers.map(({ url }) =>
    putUnderLoad(url, { asker, counts: measured.load, end: ending.signal }),
  );
  try {
    for (const [index, program] of programs.entries()) {
      await suspendOne(nodes, { program, asker, issuer: index }, measured);
      tell(index + 1);
    }
  } finally {
    ending.abort();
    await Promise.all(loads);
  }
  return measured;
}

async function suspendOne(
  { context, servers }: Nodes,
  at: { readonly program: Onboarded; readonly asker: Onboarded; readonly issuer: number },
  measured: Suspensions,
): Promise<void> {
  const { program, asker } = at;
  const token = await requestToken(servers[at.issuer % servers.length]?.url ?? '', program);
  if (token === undefined) throw new Error('a live client was given no token');
  const askAll = () => Promise.all(servers.map(({ url }) => introspect(url, asker, token)));
  if ((await askAll()).some((told) => told !== 'active')) {
    throw new Error('a token was not active before its program was suspended');
  }
  const beganMs = performance.now();
  const { receipt } = await commitAndAwait(context, {
    kind: 'program.suspend',
    programId: program.programId,
    reason: 'bench',
  });
  const receiptMs = performance.now();
  if (!receipt.complete || receipt.confirmed.length !== servers.length) {
    throw new Error(`receipt ${receipt.sequence} is not confirmed by every node`);
  }
  const told = await askAll();
  measured.toReceiptMs.push(receiptMs - beganMs);
  measured.toRefusedEverywhereMs.push(performance.now() - beganMs);
  measured.accepted += told.filter((one) => one === 'active').length;
  measured.unavailable += told.filter((one) => one === 'unavailable').length;
}

/** One caller that asks for a token and about it, again and again. */
async function putUnderLoad(
  url: string,
  by: {
    readonly asker: Onboarded;
    readonly counts: Suspensions['load'];
    readonly end: AbortSignal;
  },
): Promise<void> {
  const { asker, counts } = by;
  const count = (good: boolean): void => {
    counts.requests += 1;
    if (!good) counts.failures += 1;
  };
  while (!by.end.aborted) {
    // A failure is counted, and told at the end.
    const token = await requestToken(url, asker).catch(() => undefined);
    count(token !== undefined);
    for (let asked = 0; asked < 4 && token !== undefined; asked += 1) {
      count((await introspect(url, asker, token).catch(() => undefined)) === 'active');
    }
    await new Promise((resolve) => setTimeout(resolve, LOAD_PAUSE_MS));
  }
}
