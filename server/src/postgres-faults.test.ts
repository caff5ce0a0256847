import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { listTokens } from './operations/list-tokens.ts';
import type { Receipt } from './replica/receipt.ts';
import { newDataDirectory } from './testing/data.ts';
import { startFaultyProxy } from './testing/faulty-proxy.ts';
import {
  assertNothingAccepted,
  envOf,
  type Node,
  pause,
  reactivate,
  suspend,
  tellIn,
  tokenOf,
  until,
  type World,
  watch,
  withNodes,
} from './testing/nodes-on-database.ts';
import { asOperator } from './testing/onboarding.ts';
import { isPoolerInstalled, startPooler } from './testing/pgbouncer.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';

/** As short as a lease may be, so that waiting for one does not take long. */
const LEASE_MS = 1_000;

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

async function withTwo(
  leaseMs: number,
  body: (world: World, two: [Node, Node], databaseUrl: string) => Promise<void>,
): Promise<void> {
  assert.ok(typeof postgres !== 'string');
  const databaseUrl = await postgres.newDatabase();
  await withNodes({ databaseUrl, count: 2, leaseMs }, (world) =>
    body(world, world.nodes as [Node, Node], databaseUrl),
  );
}

const namesOf = (entries: Receipt['confirmed']) => entries.map(({ node }) => node);

test(
  'a node behind a partition that nobody is told of: it serves for less than its lease, refuses when the receipt comes, and registers anew',
  options,
  () =>
    withTwo(3_000, async (world, [cut, living]) => {
      const { context, leaked, bystander } = world;
      const tell = tellIn(world);
      const [token, lasting] = [await tokenOf(cut, leaked), await tokenOf(cut, bystander)];
      for (const node of [cut, living]) assert.equal(await tell(node, token), 'active');
      const before = new Map((await context.nodes.list()).map((row) => [row.node, row]));

      const [ofKilled, ofLasting] = [
        watch(() => tell(cut, token)),
        watch(() => tell(cut, lasting)),
      ];
      const elsewhere = watch(() => tell(living, token));
      const cutMs = performance.now();
      cut.way.blackhole();
      const receipt = await suspend(context, leaked);
      const receiptMs = performance.now();
      assert.equal(receipt.complete, true);
      assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
      assert.ok(receiptMs - cutMs >= 3_000, 'never before its lease is over');
      await assertNothingAccepted(ofKilled, receiptMs);
      await assertNothingAccepted(elsewhere, receiptMs);
      for (const { heard } of await ofLasting.after(receiptMs)) assert.equal(heard, 'unavailable');
      const soon = ofLasting.answers.filter(({ endedMs }) => endedMs < cutMs + 1_500);
      assert.ok(soon.length > 0);
      for (const { heard } of soon) assert.equal(heard, 'active', 'the lease still ran');

      cut.way.heal();
      await until('active', () => tell(cut, lasting));
      assert.equal(await tell(cut, token), 'inactive');
      const [fenced] = namesOf(receipt.fenced) as [string];
      const anew = (await context.nodes.list()).find(({ node }) => node === fenced);
      assert.ok((anew?.startedAtMs ?? 0) > (before.get(fenced)?.startedAtMs ?? 0));
      assert.equal((await reactivate(context, leaked)).confirmed.length, 2);
      assert.equal(await tell(cut, await tokenOf(cut, leaked)), 'active');
    }),
);

test('a node whose database answers later than its lease lasts decides nothing', options, () =>
  withTwo(LEASE_MS, async (world, [slow]) => {
    const tell = tellIn(world);
    const lasting = await tokenOf(slow, world.bystander);
    assert.equal(await tell(slow, lasting), 'active');
    const listen = new URL(slow.server.url).host;
    const renewals = async (): Promise<number> =>
      (await world.context.nodes.list()).find((row) => row.listen === listen)?.renewals ?? 0;

    slow.way.delay(LEASE_MS * 0.55);
    await until('unavailable', () => tell(slow, lasting));
    const unavailableMs = performance.now();
    const witness = watch(() => tell(slow, lasting));
    // Its renewals are committed all the while, and each is over when it is heard of. Of the first of two it has heard.
    const enough = (await renewals()) + 2;
    await until('renewed', async () => ((await renewals()) < enough ? 'not yet' : 'renewed'));
    await assertNothingAccepted(witness, unavailableMs);
    slow.way.delay(0);
    await until('active', () => tell(slow, lasting));
  }),
);

test(
  'while connections are reset all the time nothing is accepted after its receipt, and all is well when it ends',
  options,
  () =>
    withTwo(LEASE_MS, async (world, nodes, databaseUrl) => {
      const { leaked, bystander } = world;
      const tell = tellIn(world);
      const url = new URL(databaseUrl);
      const way = await startFaultyProxy(Number(url.port));
      url.port = String(way.port);
      const lasting = await tokenOf(nodes[0], bystander);
      let resets = 0;
      const storm = setInterval(() => {
        resets += 1;
        [way, ...nodes.map((node) => node.way)][resets % 3]?.reset();
      }, 40);
      const load = nodes.map((node) =>
        watch(async () => (await tokenOf(node, bystander)).slice(0, 5)),
      );
      const ofLasting = nodes.map((node) => watch(() => tell(node, lasting)));
      try {
        await again(() =>
          asOperator(
            newDataDirectory(),
            async (context) => {
              for (let round = 0; round < 4; round += 1) {
                const token = await tokenOf(nodes[0], leaked);
                const witnesses = nodes.map((node) => watch(() => tell(node, token)));
                const receipt = await again(() => suspend(context, leaked));
                const receiptMs = performance.now();
                assert.equal(receipt.complete, true);
                for (const witness of witnesses) await assertNothingAccepted(witness, receiptMs);
                await again(() => reactivate(context, leaked));
              }
            },
            envOf(url.href),
          ),
        );
      } finally {
        clearInterval(storm);
        await way.close();
      }
      assert.ok(resets > 20);
      const calmMs = performance.now();
      for (const witness of [...load, ...ofLasting]) await witness.after(calmMs);
      // No outage of theirs was ever called the caller's fault.
      const heard = new Set(ofLasting.flatMap(({ answers }) => answers.map((one) => one.heard)));
      assert.equal(heard.has('inactive'), false);
      for (const node of nodes) {
        await until('active', () => tell(node, lasting));
        await tokenOf(node, bystander);
        // And it stays so: what a busy machine may cost once is asked for again.
        await until('steady', async () => {
          const asked = watch(() => tell(node, lasting));
          const answers = await asked.after(performance.now() + LEASE_MS);
          return answers.every((one) => one.heard === 'active') ? 'steady' : 'not';
        });
      }
    }),
);

/** Does again what failed as the connection broke: its outcome is unknown until it is asked for again. */
async function again<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if ((error as Error).name !== 'StoreUnavailable') throw error;
      await pause(20);
    }
  }
}

test('a notification that never comes costs no receipt: nodes ask as well', options, () =>
  withTwo(LEASE_MS, async (world, nodes) => {
    const { context, leaked } = world;
    const tell = tellIn(world);
    for (const { way } of nodes) way.blackhole('listening');
    for (let round = 0; round < 5; round += 1) {
      const token = await tokenOf(nodes[0], leaked);
      const receipt = await suspend(context, leaked);
      assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [2, 0]);
      for (const node of nodes) assert.equal(await tell(node, token), 'inactive');
      assert.equal((await reactivate(context, leaked)).confirmed.length, 2);
    }
    for (const { way } of nodes) assert.ok(way.swallowedBytes() > 0, 'notifications were lost');
  }),
);

const noPooler = isPoolerInstalled() ? options : { skip: 'pgbouncer is not installed' };

test(
  'all of it works through a pooler that gives each transaction another connection',
  noPooler,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const pooler = await startPooler(await postgres.newDatabase());
    const env = { COUNTERSIGN_DATABASE_NOTIFICATIONS: 'off' };
    try {
      const settings = { databaseUrl: pooler.url, count: 3, leaseMs: LEASE_MS, env };
      await withNodes(settings, async (world) => {
        const { context, leaked, bystander, nodes } = world;
        const tell = tellIn(world);
        const lasting = await tokenOf(nodes[0] as Node, bystander);
        for (let round = 0; round < 3; round += 1) {
          const tokens = await Promise.all(nodes.map((node) => tokenOf(node, leaked)));
          for (const node of nodes) {
            for (const token of [...tokens, lasting])
              await until('active', () => tell(node, token));
          }
          const receipt = await suspend(context, leaked);
          assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [3, 0]);
          for (const node of nodes) {
            for (const token of tokens) assert.equal(await tell(node, token), 'inactive');
            await until('active', () => tell(node, lasting));
          }
          assert.equal((await reactivate(context, leaked)).confirmed.length, 3);
        }
        const issued = await listTokens(context, leaked);
        assert.equal(issued.length, 9, 'each is on record');
        assert.ok(issued.every(({ standing }) => standing === 'revoked'));
      });
    } finally {
      await pooler.stop();
    }
  },
);
