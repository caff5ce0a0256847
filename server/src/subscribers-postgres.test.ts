import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { commitAndAwait } from './operations/context.ts';
import type { Receipt } from './replica/receipt.ts';
import { type Node, pause, type World, withNodes } from './testing/nodes-on-database.ts';
import { post, requestToken } from './testing/onboarding.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';

/** Shorter than a subscriber's own. */
const LEASE_MS = 2_000;

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

async function withTwo(body: (world: World) => Promise<void>): Promise<void> {
  assert.ok(typeof postgres !== 'string');
  await withNodes({ databaseUrl: await postgres.newDatabase(), count: 2, leaseMs: LEASE_MS }, body);
}

/** A subscriber that speaks the protocol by hand. */
async function subscribe({ asker }: World, { server }: Node) {
  const credentials = Buffer.from(`${asker.clientId}:${asker.clientSecret}`).toString('base64');
  const headers = { 'X-Gateway-Authorization': `Basic ${credentials}` };
  const end = new AbortController();
  const url = `${server.url}/sandbox/revocations`;
  const { status, body } = await fetch(url, { headers, signal: end.signal });
  assert.equal(status, 200);
  const subscriber = {
    /** How long the latest heartbeat let it decide, and when the ping had been sent. */
    lease: { sentMs: 0, leaseMs: 0 },
    forgotten: [] as string[],
    ping: () => Promise.resolve(),
    end: () => end.abort(),
  };
  const sent = new Map<number, number>();
  let subscription = '';
  let confirmed = 0;
  subscriber.ping = async () => {
    const number = sent.size + 1;
    sent.set(number, performance.now());
    const form = { subscription, ping: String(number), confirmed: String(confirmed) };
    const told = { method: 'POST', headers, body: new URLSearchParams(form) };
    await fetch(`${url}/ping`, told).catch(() => {});
  };
  const hear = async (): Promise<void> => {
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}');
        if (data.subscription !== undefined) subscription = data.subscription;
        if (data.ping !== undefined) {
          subscriber.lease = { sentMs: sent.get(data.ping) ?? 0, leaseMs: data.lease_ms };
          continue;
        }
        confirmed = data.sequence;
        subscriber.forgotten.push(...(data.forget?.programs ?? []));
        void subscriber.ping();
      }
    }
  };
  hear().catch(() => {});
  const deadlineMs = performance.now() + 10_000;
  while (subscriber.lease.leaseMs === 0 && performance.now() < deadlineMs) await pause(10);
  assert.ok(subscriber.lease.leaseMs > 0, 'a heartbeat');
  return subscriber;
}

async function suspend({ context, leaked }: World): Promise<Receipt> {
  const { programId } = leaked;
  const change = { kind: 'program.suspend', programId, reason: 'leaked' } as const;
  return (await commitAndAwait(context, change)).receipt;
}

const subscribersOf = (entries: Receipt['confirmed']) =>
  entries.filter(({ node }) => node.startsWith('subscribers:'));

test(
  'a receipt lists the subscribers of each node that has any, and comes when they have confirmed',
  options,
  () =>
    withTwo(async (world) => {
      const subscribers = await Promise.all(world.nodes.map((node) => subscribe(world, node)));
      const receipt = await suspend(world);
      assert.equal(receipt.complete, true);
      assert.equal(subscribersOf(receipt.confirmed).length, 2);
      for (const { forgotten } of subscribers)
        assert.deepEqual(forgotten, [world.leaked.programId]);
      for (const { end } of subscribers) end();
    }),
);

test(
  'a node that is cut off from the store lets its subscribers decide no longer than itself, and the receipt waits',
  options,
  () =>
    withTwo(async (world) => {
      const [node] = world.nodes as [Node];
      const subscriber = await subscribe(world, node);
      assert.ok(await requestToken(node.server.url, world.leaked));
      node.way.blackhole();
      const cutOffMs = performance.now();
      // As a subscriber does, all the while: what it is allowed shrinks with the node's own lease.
      let isOver = false;
      const pinging = (async () => {
        while (!isOver) {
          await subscriber.ping();
          const { sentMs, leaseMs } = subscriber.lease;
          assert.ok(sentMs + leaseMs <= cutOffMs + LEASE_MS + 100, 'longer than the node');
          await pause(20);
        }
      })();
      const receipt = await suspend(world);
      const receivedMs = performance.now();
      isOver = true;
      await pinging;
      assert.equal(receipt.complete, true);
      assert.equal(subscribersOf(receipt.fenced).length, 1);
      assert.ok(receivedMs >= subscriber.lease.sentMs + subscriber.lease.leaseMs);
      const answer = await post(`${node.server.url}/sandbox/introspect`, {
        client_id: world.asker.clientId,
        client_secret: world.asker.clientSecret,
        token: 'x',
      });
      assert.equal(answer.status, 503);
      subscriber.end();
    }),
);

test(
  'a node that stops in order waits for its subscribers, and leaves nobody for a receipt to wait for',
  options,
  () =>
    withTwo(async (world) => {
      const [node] = world.nodes as [Node];
      const subscriber = await subscribe(world, node);
      await subscriber.ping();
      await pause(50);
      const { sentMs, leaseMs } = subscriber.lease;
      assert.equal(await node.server.stop('SIGTERM'), 0);
      assert.ok(performance.now() >= sentMs + leaseMs, 'it could still decide');
      const receipt = await suspend(world);
      assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 0]);
    }),
);
