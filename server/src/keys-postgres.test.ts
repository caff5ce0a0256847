import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { MasterKey } from './credentials/key-wrapping.ts';
import { systemRandomness } from './credentials/random.ts';
import { rewrapKeys } from './operations/rewrap-keys.ts';
import { rotateKey } from './operations/rotate-key.ts';
import { openTestDatabase } from './stores/postgres/testing/open.ts';
import { newDataDirectory } from './testing/data.ts';
import { startLoad } from './testing/load.ts';
import { envOf, pause, withNodes } from './testing/nodes-on-database.ts';
import { asOperator } from './testing/onboarding.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

async function newDatabase(): Promise<string> {
  assert.ok(typeof postgres !== 'string');
  return await postgres.newDatabase();
}

test(
  'keys and peppers rotate under load, on three nodes of a database, without a refused request',
  options,
  async () => {
    const settings = { databaseUrl: await newDatabase(), count: 3, leaseMs: 5_000 };
    await withNodes(settings, async ({ context, nodes, bystander: client, asker }) => {
      const load = startLoad({ urls: nodes.map(({ server }) => server.url), client, asker });
      while (load.requests() < 20) await pause(10);
      for (let round = 0; round < 4; round += 1) {
        for (const purpose of ['token', 'secret'] as const) {
          const { receipt } = await rotateKey(context, { environment: 'sandbox', purpose });
          assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [3, 0]);
          await pause(80);
        }
      }
      assert.deepEqual(await load.stop(), []);
      assert.ok(load.requests() > 100, `${load.requests()} requests`);
    });
  },
);

const NODE = { node: 'node-a', leaseMs: 1_000, version: '', listen: '', process: 'process a' };

/** Waits until somebody waits for a lock in the database. */
async function untilSomebodyWaits(client: pg.Client, count: number): Promise<void> {
  for (;;) {
    // What it has seen once it would see again until its transaction ends.
    await client.query('select pg_stat_clear_snapshot()');
    const { rowCount } = await client.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if ((rowCount ?? 0) >= count) return;
    await pause(10);
  }
}

test(
  'a node that registers while the master key changes is refused, and one that was quicker stops the change',
  options,
  async () => {
    const url = await newDatabase();
    const node = await openTestDatabase(url);
    const rewrap = () =>
      asOperator(
        newDataDirectory(),
        (context) =>
          rewrapKeys(context, { master: new MasterKey(Buffer.alloc(32, 9), systemRandomness()) }),
        envOf(url),
      );
    const holder = new pg.Client(url);
    await holder.connect();
    await node.store.nodes.register(NODE);
    await assert.rejects(rewrap(), /a server runs with the present master key: node-a/);
    await node.store.nodes.leave(NODE.node);

    // The change has looked for nodes, and is then held up on its first key.
    await holder.query('begin; select from keys for update');
    const rewrapping = rewrap();
    await untilSomebodyWaits(holder, 1);
    const registering = node.store.nodes.register(NODE);
    registering.catch(() => {});
    await Promise.race([registering, untilSomebodyWaits(holder, 2)]);
    await holder.query('commit');
    assert.equal((await rewrapping).receipt.complete, true);
    await assert.rejects(registering, /put under another master key .* start again with that key/);
    assert.deepEqual(await node.store.nodes.list(), []);
    await node.store.close();
    await holder.end();
  },
);
