/** Several server processes on one database, each reaching it by a faulty way of its own, and an operator beside them. */

import assert from 'node:assert/strict';
import { commitAndAwait, type OperationContext } from '../operations/context.ts';
import type { Receipt } from '../replica/receipt.ts';
import { newDataDirectory } from './data.ts';
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
import { asOperator, introspect, type Onboarded, onboard, requestToken } from './onboarding.ts';
import { type RunningServer, startServer } from './running-server.ts';

const RECOVERY_MS_MAX = 30_000;
/** Answers to wait for after a receipt, so that a node that accepts too much has had its chance. */
const ANSWERS_AFTER_MIN = 20;
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export type Node = { readonly server: RunningServer; readonly way: FaultyProxy };
export type World = {
  /** The operator, who reaches the database directly. */
  readonly context: OperationContext;
  readonly nodes: readonly Node[];
  /** The program under suspicion, another one, and a resource server that asks about their tokens. */
  readonly leaked: Onboarded;
  readonly bystander: Onboarded;
  readonly asker: Onboarded;
};
type Settings = {
  readonly databaseUrl: string;
  readonly count: number;
  readonly leaseMs: number;
  readonly env?: Record<string, string>;
};

/** Environment of whoever works on the database at this URL. */
export function envOf(databaseUrl: string): Record<string, string> {
  return {
    COUNTERSIGN_DATABASE_URL: databaseUrl,
    COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    COUNTERSIGN_PUBLIC_URL: 'https://auth.bank.example',
  };
}

export async function withNodes(
  { databaseUrl, count, leaseMs, env }: Settings,
  body: (world: World) => Promise<void>,
): Promise<void> {
  const ways: FaultyProxy[] = [];
  const nodes: Node[] = [];
  const startNode = async (): Promise<void> => {
    const url = new URL(databaseUrl);
    const way = await startFaultyProxy(Number(url.port));
    ways.push(way);
    url.port = String(way.port);
    const settings = { ...envOf(url.href), COUNTERSIGN_LEASE_MS: String(leaseMs), ...env };
    nodes.push({ way, server: await startServer(newDataDirectory(), { env: settings }) });
  };
  const run = async (context: OperationContext): Promise<void> => {
    const [leaked, bystander] = [await onboard(context), await onboard(context)];
    const asker = await onboard(context, { resourceServer: true });
    try {
      // All have started or failed before any is ended: one that came later would be nobody's.
      const starts = await Promise.allSettled(Array.from({ length: count }, startNode));
      for (const start of starts) if (start.status === 'rejected') throw start.reason;
      await body({ context, nodes, leaked, bystander, asker });
    } finally {
      for (const { server } of nodes) server.process.kill('SIGKILL');
      await Promise.all(ways.map((way) => way.close()));
    }
  };
  await asOperator(newDataDirectory(), run, { ...envOf(databaseUrl), ...env });
}

export async function suspend(context: OperationContext, of: Onboarded): Promise<Receipt> {
  const { programId } = of;
  const change = { kind: 'program.suspend', programId, reason: 'leaked' } as const;
  return (await commitAndAwait(context, change)).receipt;
}

export async function reactivate(context: OperationContext, of: Onboarded): Promise<Receipt> {
  const { programId } = of;
  return (await commitAndAwait(context, { kind: 'program.reactivate', programId })).receipt;
}

/** A token of the client, as soon as the node gives one. */
export async function tokenOf(node: Node, client: Onboarded): Promise<string> {
  let token: string | undefined;
  await until('a token', async () => {
    token = await requestToken(node.server.url, client);
    return token === undefined ? 'none' : 'a token';
  });
  return token as string;
}

/** What the node says of the token at this moment. */
export type Tell = (node: Node, token: string) => ReturnType<typeof introspect>;
export const tellIn =
  ({ asker }: Pick<World, 'asker'>): Tell =>
  ({ server }, token) =>
    introspect(server.url, asker, token);

export async function until(told: string, ask: () => Promise<string>): Promise<void> {
  const deadlineMs = performance.now() + RECOVERY_MS_MAX;
  let heard = await ask();
  while (heard !== told && performance.now() < deadlineMs) {
    await pause(20);
    heard = await ask();
  }
  assert.equal(heard, told);
}

export type Answer = { readonly begunMs: number; readonly endedMs: number; readonly heard: string };
export type Witness = {
  readonly answers: readonly Answer[];
  /** Goes on until enough was asked after `ms`, then returns what was answered to that. */
  after(ms: number): Promise<readonly Answer[]>;
};

/** Asks over and over, one question at a time, and remembers when each was begun. */
export function watch(ask: () => Promise<string>): Witness {
  const answers: Answer[] = [];
  let isDone = false;
  const asking = (async () => {
    while (!isDone) {
      const begunMs = performance.now();
      const heard = await ask();
      answers.push({ begunMs, endedMs: performance.now(), heard });
      await pause(3);
    }
  })();
  // Whoever waits for it is told; nobody may, when the test has failed already.
  asking.catch(() => {});
  return {
    answers,
    after: async (ms) => {
      const begunAfter = (): readonly Answer[] => answers.filter(({ begunMs }) => begunMs > ms);
      const enough = async (): Promise<void> => {
        while (begunAfter().length < ANSWERS_AFTER_MIN) await pause(5);
      };
      await Promise.race([enough(), asking]);
      isDone = true;
      await asking;
      return begunAfter();
    },
  };
}

/** The guarantee of a receipt that came at `ms`. */
export async function assertNothingAccepted(witness: Witness, ms: number): Promise<void> {
  const accepted = (await witness.after(ms)).filter(({ heard }) => heard === 'active');
  assert.deepEqual(accepted, [], `accepted after the receipt, which came at ${ms}`);
}
