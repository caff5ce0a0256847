import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { commitAndAwait, type OperationContext } from './operations/context.ts';
import { openForOperator } from './operator.ts';
import type { Receipt } from './replica/receipt.ts';
import { configOf, newDataDirectory } from './testing/data.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  post,
  requestToken,
} from './testing/onboarding.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';
import { type StallingProxy, startStallingProxy } from './testing/stalling-proxy.ts';

/** As short as a lease may be, so that waiting for one does not take long. */
const LEASE_MS = 1_000;
const RECOVERY_MS_MAX = 15_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Node = { readonly server: RunningServer; readonly database: StallingProxy };
type World = {
  readonly env: Record<string, string>;
  readonly context: OperationContext;
  readonly nodes: readonly Node[];
  /** The program under suspicion, and a resource server to ask about its tokens. */
  readonly leaked: Onboarded;
  readonly asker: Onboarded;
};

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

/** Several server processes on one database, each reaching it by a way of its own, and an operator's process beside them. */
async function withNodes(
  settings: { count: number; leaseMs?: number; env?: Record<string, string> },
  body: (world: World) => Promise<void>,
): Promise<void> {
  assert.ok(typeof postgres !== 'string');
  const url = await postgres.newDatabase();
  const envOf = (databaseUrl: string) => ({
    COUNTERSIGN_DATABASE_URL: databaseUrl,
    COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    COUNTERSIGN_PUBLIC_URL: 'https://auth.bank.example',
    COUNTERSIGN_LEASE_MS: String(settings.leaseMs ?? LEASE_MS),
    ...settings.env,
  });
  const startNode = async (): Promise<Node> => {
    const database = await startStallingProxy(Number(new URL(url).port));
    const way = new URL(url);
    way.port = String(database.port);
    return { database, server: await startServer(newDataDirectory(), { env: envOf(way.href) }) };
  };
  const run = async (context: OperationContext): Promise<void> => {
    const leaked = await onboard(context);
    const asker = await onboard(context, { resourceServer: true });
    const nodes = await Promise.all(Array.from({ length: settings.count }, startNode));
    try {
      await body({ env: envOf(url), context, nodes, leaked, asker });
    } finally {
      for (const { server } of nodes) server.process.kill('SIGKILL');
      await Promise.all(nodes.map(({ database }) => database.close()));
    }
  };
  await asOperator(newDataDirectory(), run, envOf(url));
}

async function suspend({ context, leaked }: World): Promise<Receipt> {
  const { programId } = leaked;
  const { receipt } = await commitAndAwait(context, {
    kind: 'program.suspend',
    programId,
    reason: 'leaked',
  });
  return receipt;
}

async function reactivate({ context, leaked }: World): Promise<Receipt> {
  const { programId } = leaked;
  return (await commitAndAwait(context, { kind: 'program.reactivate', programId })).receipt;
}

async function tokenOf({ leaked }: World, { server }: Node): Promise<string> {
  const token = await requestToken(server.url, leaked);
  assert.ok(token, 'a live client gets a token');
  return token;
}

const tell = (world: World, { server }: Node, token: string) =>
  introspect(server.url, world.asker, token);

async function until(told: string, ask: () => Promise<string>): Promise<void> {
  const deadlineMs = performance.now() + RECOVERY_MS_MAX;
  let heard = await ask();
  while (heard !== told && performance.now() < deadlineMs) {
    await pause(20);
    heard = await ask();
  }
  assert.equal(heard, told);
}

test(
  'after the receipt no node accepts a token of the suspended program, whoever issued it; reactivation revives none',
  options,
  () =>
    withNodes({ count: 3 }, async (world) => {
      const tokens = await Promise.all(world.nodes.map((node) => tokenOf(world, node)));
      for (const node of world.nodes) {
        for (const token of tokens) assert.equal(await tell(world, node, token), 'active');
      }
      const receipt = await suspend(world);
      assert.equal(receipt.complete, true);
      assert.equal(receipt.confirmed.length, 3);
      for (const node of world.nodes) {
        for (const token of tokens) assert.equal(await tell(world, node, token), 'inactive');
        assert.equal(await requestToken(node.server.url, world.leaked), undefined);
      }
      assert.equal((await reactivate(world)).confirmed.length, 3);
      for (const node of world.nodes) {
        for (const token of tokens) assert.equal(await tell(world, node, token), 'inactive');
        assert.equal(await tell(world, node, await tokenOf(world, node)), 'active');
      }
      const [leaving] = world.nodes as [Node];
      assert.equal(await leaving.server.stop('SIGTERM'), 0);
      const after = await suspend(world);
      assert.deepEqual([after.confirmed.length, after.fenced.length], [2, 0]);
    }),
);

test('a token revoked at one node is dead at every other when the answer comes', options, () =>
  withNodes({ count: 2 }, async (world) => {
    const [first, second] = world.nodes as [Node, Node];
    for (let round = 0; round < 20; round += 1) {
      const token = await tokenOf(world, first);
      assert.equal(await tell(world, second, token), 'active');
      const { clientId, clientSecret } = world.leaked;
      const form = { client_id: clientId, client_secret: clientSecret, token };
      assert.equal((await post(`${first.server.url}/sandbox/revoke`, form)).status, 200);
      assert.equal(await tell(world, second, token), 'inactive');
    }
  }),
);

test('a node that was killed is written off after its lease, not before', options, () =>
  withNodes({ count: 2 }, async (world) => {
    const [dead, living] = world.nodes as [Node, Node];
    const token = await tokenOf(world, living);
    await dead.server.stop('SIGKILL');
    const receipt = await suspend(world);
    assert.equal(receipt.complete, true);
    assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
    assert.ok((receipt.fenced[0]?.ms ?? 0) >= LEASE_MS);
    assert.equal(await tell(world, living, token), 'inactive');
  }),
);

test(
  'a node that is stopped holds the receipt up for its lease, wakes refusing, and returns by itself',
  options,
  () =>
    withNodes({ count: 2 }, async (world) => {
      const [stopped, living] = world.nodes as [Node, Node];
      const token = await tokenOf(world, stopped);
      stopped.server.process.kill('SIGSTOP');
      const receipt = await suspend(world);
      assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
      assert.ok((receipt.fenced[0]?.ms ?? 0) >= LEASE_MS, 'never before its lease is over');
      assert.equal(await tell(world, living, token), 'inactive');
      const answers = Promise.all(Array.from({ length: 20 }, () => tell(world, stopped, token)));
      stopped.server.process.kill('SIGCONT');
      for (const answer of await answers) assert.notEqual(answer, 'active');
      await until('inactive', () => tell(world, stopped, token));
      assert.equal((await reactivate(world)).confirmed.length, 2);
      assert.ok(await requestToken(stopped.server.url, world.leaked));
    }),
);

test(
  'a node that is cut off from the database accepts nothing that was killed once there is a receipt',
  options,
  () =>
    withNodes({ count: 2 }, async (world) => {
      const [cut, living] = world.nodes as [Node, Node];
      const token = await tokenOf(world, cut);
      assert.equal(await tell(world, cut, token), 'active');
      cut.database.stall();
      const receipt = await suspend(world);
      assert.equal(receipt.complete, true);
      assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
      assert.equal(await tell(world, cut, token), 'unavailable');
      assert.equal(await tell(world, living, token), 'inactive');
      cut.database.resume();
      await until('inactive', () => tell(world, cut, token));
    }),
);

test(
  'verification goes on while the database stops for less than the lease, refuses past it, and recovers',
  options,
  () =>
    withNodes({ count: 1, leaseMs: 3_000 }, async (world) => {
      const [node] = world.nodes as [Node];
      const token = await tokenOf(world, node);
      const ask = () => tell(world, node, token);
      // The node has read who asks: from here on verification needs no database.
      assert.equal(await ask(), 'active');
      node.database.stall();
      for (let asked = 0; asked < 20; asked += 1) {
        assert.equal(await ask(), 'active');
        await pause(20);
      }
      node.database.resume();
      await pause(600);
      assert.equal(await ask(), 'active');
      node.database.stall();
      await until('unavailable', ask);
      node.database.resume();
      await until('active', ask);
      // Broken connections, as by a restart of the database, cost nothing either.
      node.database.cut();
      assert.equal(await ask(), 'active');
      await tokenSoon(world, node);
    }),
);

/** The journal's connection was broken as well: who asks at that moment gets a 503, who asks again a token. */
async function tokenSoon(world: World, { server }: Node): Promise<void> {
  await until('a token', async () =>
    (await requestToken(server.url, world.leaked)) === undefined ? 'none' : 'a token',
  );
}

test('where the database tells nobody of changes, asking for them is enough', options, () =>
  withNodes({ count: 2, env: { COUNTERSIGN_DATABASE_NOTIFICATIONS: 'off' } }, async (world) => {
    const [first, second] = world.nodes as [Node, Node];
    const token = await tokenOf(world, first);
    const receipt = await suspend(world);
    assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [2, 0]);
    for (const node of [first, second]) assert.equal(await tell(world, node, token), 'inactive');
  }),
);

// The last one: its cluster is a standby from then on.
test('nodes outlive a restart of the database; on a standby nothing is decided', options, () =>
  withNodes({ count: 1 }, async (world) => {
    assert.ok(typeof postgres !== 'string');
    const [node] = world.nodes as [Node];
    const token = await tokenOf(world, node);
    const ask = () => tell(world, node, token);
    await postgres.restart();
    await tokenSoon(world, node);
    await until('active', ask);
    await postgres.restart('standby');
    await until('unavailable', ask);
    assert.equal(await requestToken(node.server.url, world.leaked), undefined);
    const operator = openForOperator(configOf(newDataDirectory(), world.env), 'test:operator');
    await assert.rejects(operator, /is a standby; give the URL of the primary/);
  }),
);
