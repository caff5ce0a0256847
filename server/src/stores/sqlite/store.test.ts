import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sql } from 'kysely';
import { SUBSCRIBERS } from '../../ports/change-log.ts';
import { newDataDirectory, openTestStore } from '../../testing/data.ts';
import { carefulContract } from '../contract/careful-contract.ts';
import { dutyContract } from '../contract/duty-contract.ts';
import { storeContract } from '../contract/store-contract.ts';
import { suspensionContract } from '../contract/suspension-contract.ts';
import { SCHEMA_VERSION } from '../sql/migrations/steps.ts';
import { connectWriter } from './connect.ts';
import { executorOf } from './executor.ts';
import { migrate } from './migrate.ts';
import { isSlotFree, takeSlot } from './node-locks.ts';

storeContract('the SQLite store', openTestStore, newDataDirectory);
dutyContract('duties and time on the SQLite store', openTestStore, newDataDirectory);
carefulContract('the SQLite store', openTestStore, newDataDirectory);
suspensionContract('suspensions on SQLite', openTestStore, newDataDirectory);

test('an object or a date is no parameter: it would bind NULL without a word', () => {
  const executor = executorOf(new DatabaseSync(':memory:'));
  for (const value of [{}, new Date(), undefined, true]) {
    const query = { node: sql`select ${value}`.toOperationNode(), locks: false };
    assert.throws(
      () =>
        executor.read(function* () {
          yield query;
        }),
      TypeError,
    );
  }
});

test('a transaction that fails half-way is rolled back whole', () => {
  const connection = new DatabaseSync(':memory:');
  connection.exec('CREATE TABLE t (a INTEGER NOT NULL) STRICT');
  const executor = executorOf(connection);
  const insert = (value: unknown) => ({
    node: sql`INSERT INTO t VALUES (${value})`.toOperationNode(),
    locks: false,
  });
  assert.throws(() =>
    executor.write(function* () {
      yield insert(1);
      yield insert('no number');
    }),
  );
  assert.deepEqual(connection.prepare('SELECT count(*) AS n FROM t').get(), {
    __proto__: null,
    n: 0,
  });
});

test('the row of subscribers outlives its node, whose lock and whose name say nothing about it', async () => {
  const store = await openTestStore(newDataDirectory());
  const { node } = store.takeNode();
  const about = { version: '1', listen: 'l', process: 'p', leaseMs: 3_000 };
  // Of a process that is gone: nobody holds that slot's lock.
  const dead = 'node-63-gone';
  for (const one of [node, dead, SUBSCRIBERS + node, SUBSCRIBERS + dead]) {
    await store.nodes.register({ ...about, node: one });
  }
  const names = (await store.nodes.list()).map((row) => row.node);
  assert.deepEqual(names, [dead, node, SUBSCRIBERS + dead, SUBSCRIBERS + node].sort());
  assert.equal(await store.nodes.isDead(dead), true);
  assert.equal(await store.nodes.isDead(SUBSCRIBERS + dead), false);
  await store.close();
});

test('commits are fsynced: the writer runs WAL with synchronous=FULL', () => {
  const connection = connectWriter(`${newDataDirectory()}/x.db`);
  assert.equal(connection.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
  assert.equal(connection.prepare('PRAGMA synchronous').get()?.['synchronous'], 2);
});

test('a newer schema is refused with what to do, and left as it is', () => {
  const path = `${newDataDirectory()}/newer.db`;
  const connection = connectWriter(path);
  connection.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  assert.throws(() => migrate(connection, path), /newer version/);
  assert.equal(connection.prepare('SELECT count(*) AS n FROM sqlite_master').get()?.['n'], 0);
});

test('a slot is held by one at a time and free again once released', () => {
  const directory = newDataDirectory();
  const first = takeSlot(directory);
  const second = takeSlot(directory);
  assert.deepEqual([first.name, second.name], ['1', '2']);
  assert.equal(isSlotFree(directory, '1'), false);
  first.release();
  assert.equal(isSlotFree(directory, '1'), true);
  assert.equal(takeSlot(directory).name, '1');
  assert.equal(isSlotFree(directory, '2'), false);
});
