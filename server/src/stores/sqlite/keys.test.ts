import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemRandomness } from '../../credentials/random.ts';
import { openDataDirectory } from '../../data-directory.ts';
import { systemClock } from '../../system-clock.ts';
import { configOf, newDataDirectory } from '../../testing/data.ts';
import { asOperator, onboard } from '../../testing/onboarding.ts';
import { keyContract } from '../contract/key-contract.ts';
import { SCHEMA_VERSION } from '../sql/migrations/steps.ts';
import { connectWriter } from './connect.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { databasePath } from './store.ts';

keyContract('the SQLite store', async () => {
  const deps = { clock: systemClock, randomness: systemRandomness(), actor: 'test:setup' };
  const { store, masterKey } = await openDataDirectory(configOf(newDataDirectory()), deps);
  return { store, check: masterKey.fingerprint() };
});

/** Every row of every table, by table. */
function rowsOf(connection: DatabaseSync): Record<string, readonly Record<string, unknown>[]> {
  const tables = connection
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .all() as { name: string }[];
  return Object.fromEntries(
    tables.map(({ name }) => [name, connection.prepare(`SELECT * FROM "${name}"`).all()]),
  );
}

test('a secret that moves to a newer pepper changes two columns of its row, and nothing else in the store', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const used = await onboard(context);
    await onboard(context);
    const connection = new DatabaseSync(databasePath(data), { readOnly: true });
    try {
      const { keyRing, changes, log, randomness } = context;
      const wrapped = keyRing.newRoot(
        { purpose: 'secret', environment: 'sandbox', version: 2 },
        randomness,
      );
      const key = { environment: 'sandbox', version: 2, wrapped };
      const masterKeyCheck = keyRing.masterKeyCheck();
      await changes.commit({
        change: { kind: 'key.rotate', purpose: 'secret', ...key, masterKeyCheck },
        actor: 'test:operator',
        atMs: 1_000,
      });
      const [client] = await context.directory.clients({ clientId: used.clientId });
      const [stored] = (await log.loadClient(client?.ordinal ?? 0)).client?.secrets ?? [];
      assert.ok(stored);
      const before = rowsOf(connection);
      const to = { mac: randomBytes(32), pepperVersion: 2 };
      const move = { environment: 1, secret: stored.ordinal, from: stored, to };
      assert.equal(await changes.moveSecret(move), true);
      const after = rowsOf(connection);
      const { secrets, ...others } = before;
      const { secrets: secretsAfter, ...othersAfter } = after;
      assert.deepEqual(othersAfter, others);
      const expected = secrets?.map((row) =>
        row['secret_id'] === used.secretId
          ? { ...row, mac: new Uint8Array(to.mac), pepper_version: 2 }
          : { ...row },
      );
      assert.deepEqual(
        secretsAfter?.map((row) => ({ ...row })),
        expected,
      );
      assert.equal(secretsAfter?.length, 2);
    } finally {
      connection.close();
    }
  });
});

test('a database of the first version is brought up to date and keeps what it holds', () => {
  const path = `${newDataDirectory()}/old.db`;
  const connection = connectWriter(path);
  connection.exec(MIGRATIONS[0]?.sql ?? '');
  connection.exec('PRAGMA user_version = 1');
  connection.exec(
    "INSERT INTO environments VALUES (1, 'sandbox', 'test', 'http://127.0.0.1:8080/sandbox', 7)",
  );
  connection.exec("INSERT INTO keys VALUES ('token', 1, 1, 'wrapped', 1000)");
  const before = rowsOf(connection);
  migrate(connection, path);
  const { user_version } = connection.prepare('PRAGMA user_version').get() ?? {};
  assert.equal(user_version, SCHEMA_VERSION);
  const after = rowsOf(connection);
  assert.deepEqual(after['environments'], before['environments']);
  const [key] = after['keys'] ?? [];
  assert.deepEqual({ ...key }, { ...before['keys']?.[0], retired_at_ms: null });
  migrate(connection, path);
  assert.deepEqual(rowsOf(connection), after);
  connection.close();
});
