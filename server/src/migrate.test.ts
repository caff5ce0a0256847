import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { systemRandomness } from './credentials/random.ts';
import { openConnections } from './stores/postgres/connections.ts';
import { migrate as migratePostgres } from './stores/postgres/migrate.ts';
import { MIGRATIONS as POSTGRES } from './stores/postgres/migrations.ts';
import { openTestDatabase } from './stores/postgres/testing/open.ts';
import type { Migrated, Step } from './stores/sql/migrations/plan.ts';
import { SCHEMA_VERSION } from './stores/sql/migrations/steps.ts';
import { connectWriter } from './stores/sqlite/connect.ts';
import { migrate as migrateSqlite } from './stores/sqlite/migrate.ts';
import { MIGRATIONS as SQLITE } from './stores/sqlite/migrations.ts';
import { databasePath } from './stores/sqlite/store.ts';
import { commandLine } from './testing/command-line.ts';
import { newDataDirectory } from './testing/data.ts';
import { startLoad } from './testing/load.ts';
import { envOf, pause, reactivate, suspend, withNodes } from './testing/nodes-on-database.ts';
import { asOperator, onboard } from './testing/onboarding.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';
import { startServer } from './testing/running-server.ts';

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

/** What a later version may add: nodes of this one know nothing of it. */
const LATER: readonly Step[] = [
  'ALTER TABLE clients ADD COLUMN later TEXT',
  'ALTER TABLE nodes ADD COLUMN later INTEGER NOT NULL DEFAULT 0',
  'ALTER TABLE secrets ADD COLUMN later INTEGER NOT NULL DEFAULT 0',
  'ALTER TABLE store ADD COLUMN later INTEGER NOT NULL DEFAULT 0',
  'CREATE TABLE later (id INTEGER PRIMARY KEY, word TEXT NOT NULL)',
  'CREATE INDEX secrets_by_later ON secrets (later)',
].map((sql, index) => ({ name: `later-${index + 1}`, sql: `${sql};`, needs: 0 }));
/** And what the version after that may take away: nodes of this one would need it. */
const TAKING: Step = { name: 'taking', sql: 'DROP TABLE later;', needs: SCHEMA_VERSION + 1 };
const TAKEN = SCHEMA_VERSION + LATER.length + 1;

async function migrateDatabase(databaseUrl: string, steps: readonly Step[]): Promise<Migrated> {
  const randomness = systemRandomness();
  const connections = openConnections({ databaseUrl, connectionsMax: 1, randomness });
  return await migratePostgres(connections, steps).finally(() => connections.close());
}

function migrateDirectory(data: string, steps: readonly Step[]): Migrated {
  const connection = connectWriter(databasePath(data));
  try {
    return migrateSqlite(connection, databasePath(data), steps);
  } finally {
    connection.close();
  }
}

const refused = (known: number) => ({
  name: 'SchemaRefused',
  message: new RegExp(`has schema ${TAKEN}, .*this Countersign knows ${known}: .*run that version`),
});

test(
  'nodes of this version serve without a refused request while a later one migrates the database, and receipts stay complete',
  options,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const databaseUrl = await postgres.newDatabase();
    const settings = { databaseUrl, count: 3, leaseMs: 5_000 };
    await withNodes(settings, async ({ context, nodes, bystander: client, asker, leaked }) => {
      const load = startLoad({ urls: nodes.map(({ server }) => server.url), client, asker });
      while (load.requests() < 20) await pause(10);
      const receipts = suspendOverAndOver(async () => [
        await suspend(context, leaked),
        await reactivate(context, leaked),
      ]);
      // Somebody reads for a while in one transaction: the steps wait, and nobody waits long behind them.
      const reader = new pg.Client(databaseUrl);
      await reader.connect();
      await reader.query('begin; select count(*) from clients');
      const migrating = migrateDatabase(databaseUrl, [...POSTGRES, ...LATER]);
      await pause(2_500);
      await reader.query('commit');
      await reader.end();
      assert.equal((await migrating).steps.length, LATER.length);
      await onboard(context);
      await pause(300);
      for (const { confirmed, fenced } of await receipts.stop()) {
        assert.deepEqual([confirmed.length, fenced.length], [3, 0]);
      }
      assert.deepEqual(await load.stop(), []);
      assert.ok(load.requests() > 200, `${load.requests()} requests`);

      // A node of this version that starts now is let in; what it still needs is not taken away from under it.
      const env = { ...envOf(databaseUrl), COUNTERSIGN_LEASE_MS: '5000' };
      const late = await startServer(newDataDirectory(), { env });
      const contract = () => migrateDatabase(databaseUrl, [...POSTGRES, ...LATER, TAKING]);
      await assert.rejects(contract(), { message: /nodes still run that are too old/ });
      for (const { server } of nodes) assert.equal(await server.stop(), 0);
      await assert.rejects(contract(), { message: /nodes still run that are too old/ });
      assert.equal(await late.stop(), 0);
      assert.deepEqual((await contract()).steps, ['taking']);
      await assert.rejects(openTestDatabase(databaseUrl), refused(SCHEMA_VERSION));
      await assert.rejects(startServer(newDataDirectory(), { env }), /run that version/);
    });
  },
);

/** Suspends and reactivates until it is stopped; returns every receipt. */
function suspendOverAndOver<T>(round: () => Promise<readonly T[]>): { stop(): Promise<T[]> } {
  const receipts: T[] = [];
  let stopped = false;
  const working = (async () => {
    while (!stopped) {
      receipts.push(...(await round()));
      await pause(20);
    }
  })();
  working.catch(() => {});
  return {
    stop: async () => {
      stopped = true;
      await working;
      assert.ok(receipts.length > 4, `${receipts.length} receipts`);
      return receipts;
    },
  };
}

test('server processes of this version serve on while a later one migrates their data directory', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const client = await onboard(context);
    const asker = await onboard(context, { resourceServer: true });
    const servers = await Promise.all([startServer(data), startServer(data)]);
    try {
      const load = startLoad({ urls: servers.map(({ url }) => url), client, asker });
      while (load.requests() < 20) await pause(10);
      assert.equal(migrateDirectory(data, [...SQLITE, ...LATER]).steps.length, LATER.length);
      const other = await onboard(context);
      assert.equal((await suspend(context, other)).confirmed.length, 2);
      assert.deepEqual(await load.stop(), []);
      const contract = () => migrateDirectory(data, [...SQLITE, ...LATER, TAKING]);
      assert.throws(contract, { message: /nodes still run that are too old/ });
      for (const server of servers) assert.equal(await server.stop(), 0);
      assert.deepEqual(contract().steps, ['taking']);
      await assert.rejects(
        asOperator(data, async () => {}),
        refused(SCHEMA_VERSION),
      );
    } finally {
      for (const server of servers) server.process.kill('SIGKILL');
    }
  });
});

const stores: readonly [string, { skip?: string }, () => Promise<Record<string, string>>][] = [
  [
    'a database',
    options,
    async () => {
      assert.ok(typeof postgres !== 'string');
      const url = await postgres.newDatabase();
      await migrateDatabase(url, POSTGRES.slice(0, -1));
      return envOf(url);
    },
  ],
  [
    'a data directory',
    {},
    () => {
      const data = newDataDirectory();
      migrateDirectory(data, SQLITE.slice(0, -1));
      const key = Buffer.alloc(32, 7).toString('base64');
      return Promise.resolve({ COUNTERSIGN_DATA: data, COUNTERSIGN_MASTER_KEY: key });
    },
  ],
];

for (const [name, given, older] of stores) {
  test(
    `migrate brings ${name} up to date and says what it did; --check only says what it would do`,
    given,
    async () => {
      const env = await older();
      const cli = commandLine(env['COUNTERSIGN_DATA'] ?? newDataDirectory(), env);
      const steps = [POSTGRES.at(-1)?.name];
      const checked = await cli(['migrate', '--check', '--json']);
      const before = SCHEMA_VERSION - 1;
      assert.deepEqual(JSON.parse(checked.stdout), {
        schema: before,
        wanted: SCHEMA_VERSION,
        oldest: 1,
        current: false,
        steps,
      });
      assert.deepEqual(
        [checked.code, checked.stderr],
        [1, 'the schema is not up to date: run countersign migrate\n'],
      );
      const off = commandLine(newDataDirectory(), { ...env, COUNTERSIGN_MIGRATIONS: 'off' });
      const refusal = await off(['program', 'list']);
      assert.equal(refusal.code, 1);
      assert.match(refusal.stderr, /has schema \d+, .*: run countersign migrate\n$/);

      const done = { before, after: SCHEMA_VERSION, oldest: 1, changed: true, steps };
      assert.deepEqual(await cli.json('migrate'), done);
      const idle = { ...done, before: SCHEMA_VERSION, changed: false, steps: [] };
      assert.deepEqual(await cli.json('migrate'), idle);
      assert.equal((await cli.json('migrate', '--check'))['current'], true);
      assert.equal((await off(['program', 'list'])).code, 0);
    },
  );
}

test('where there is no store yet, a data directory is left to the server', async () => {
  const ran = await commandLine(newDataDirectory())(['migrate']);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /holds no store: countersign serve makes one/);
});
