import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { databaseConfig, MASTER_KEY, openTestDatabase } from './stores/postgres/testing/open.ts';
import { assertMaySkip, startPostgres, type TestPostgres } from './testing/postgres.ts';

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

async function withDatabase(
  body: (url: string, server: TestPostgres) => Promise<void>,
): Promise<void> {
  assert.ok(typeof postgres !== 'string');
  await body(await postgres.newDatabase(), postgres);
}

/** A password stands in many a URL. */
const withPassword = (url: string): string => url.replace('@', ':hunter2@');

test('many processes that begin with a new database at once all find one store', options, () =>
  withDatabase(async (url) => {
    const opened = await Promise.all(Array.from({ length: 8 }, () => openTestDatabase(url)));
    const snapshots = await Promise.all(
      opened.map(({ store }) => store.log.snapshot(({ position }) => position)),
    );
    assert.equal(new Set(snapshots.map(({ incarnation }) => incarnation)).size, 1);
    const [first] = opened;
    assert.equal((await first?.store.directory.environments())?.length, 2);
    assert.equal((await first?.store.audit.lines({ limit: 10 }))?.length, 1);
    await Promise.all(opened.map(({ store }) => store.close()));
  }),
);

test('a new database is given a master key, which every other machine then needs', options, () =>
  withDatabase(async (url) => {
    const config = databaseConfig(url);
    const made = await openTestDatabase(url, config);
    assert.equal(made.newMasterKeyFile, join(config.data, 'master.key'));
    await made.store.close();
    const again = await openTestDatabase(url, config);
    assert.equal(again.newMasterKeyFile, undefined);
    await again.store.close();
    const elsewhere = databaseConfig(withPassword(url));
    await assert.rejects(openTestDatabase(url, elsewhere), (error: Error) => {
      assert.match(error.message, /--master-key-file FILE/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
    assert.equal(existsSync(join(elsewhere.data, 'master.key')), false, 'none is made');
    const wrong = databaseConfig(url, { COUNTERSIGN_MASTER_KEY: MASTER_KEY });
    await assert.rejects(openTestDatabase(url, wrong), /made under another master key/);
  }),
);

test('a newer schema is refused with what to do', options, () =>
  withDatabase(async (url) => {
    await (await openTestDatabase(url)).store.close();
    const client = new pg.Client(url);
    await client.connect();
    await client.query('update schema_version set version = version + 1, oldest = version + 1');
    await client.end();
    await assert.rejects(openTestDatabase(url), /newer version; run that version/);
  }),
);

test('time-outs stand on the role, where a pooler cannot lose them', options, () =>
  withDatabase(async (url) => {
    await (await openTestDatabase(url)).store.close();
    const client = new pg.Client(url);
    await client.connect();
    for (const name of ['statement', 'lock', 'idle_in_transaction_session']) {
      const { rows } = await client.query<Record<string, string>>(`show ${name}_timeout`);
      assert.match(String(Object.values(rows[0] ?? {})[0]), /^\d+s$/, name);
    }
    await client.end();
  }),
);

test(
  'a database that confirms commits before they are durable is refused, and one that cannot be reached is an outage',
  options,
  () =>
    withDatabase(async (url, server) => {
      const role = new URL(url).username;
      await server.asSuperuser(url, `alter role ${role} set synchronous_commit = off`);
      await assert.rejects(openTestDatabase(url), /set synchronous_commit to on/);
      const nowhere = withPassword('postgres://someone@127.0.0.1:1/x');
      await assert.rejects(openTestDatabase(nowhere), (error: Error) => {
        assert.equal(error.name, 'StoreUnavailable');
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    }),
);

test(
  'a host elsewhere is spoken to over verified TLS only, unless the URL says otherwise',
  options,
  () =>
    withDatabase(async (url) => {
      // This cluster has no TLS: by a name that is not known to be this machine it must be refused, not spoken to in the clear.
      const elsewhere = url.replace('127.0.0.1', '0.0.0.0');
      await assert.rejects(openTestDatabase(elsewhere), /does not support SSL/);
      await (await openTestDatabase(`${elsewhere}?sslmode=disable`)).store.close();
    }),
);
