import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import pg from 'pg';
import { systemRandomness } from '../credentials/random.ts';
import { COPIED_TABLES } from '../stores/sql/copied-tables.ts';
import { systemClock } from '../system-clock.ts';
import { type CommandLine, commandLine } from '../testing/command-line.ts';
import { configOf, newDataDirectory, openTestStore } from '../testing/data.ts';
import { envOf } from '../testing/nodes-on-database.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  requestToken,
} from '../testing/onboarding.ts';
import { assertMaySkip, startPostgres } from '../testing/postgres.ts';
import { type RunningServer, startServer } from '../testing/running-server.ts';
import { moveStore } from './move-store.ts';

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Rows = readonly Record<string, unknown>[];

function newDatabase(): Promise<string> {
  assert.ok(typeof postgres !== 'string');
  return postgres.newDatabase();
}

async function inDatabase(url: string, statement: string): Promise<Rows> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows as Rows;
  } finally {
    await client.end();
  }
}

function inDirectory(data: string, statement: string): Rows {
  const connection = new DatabaseSync(join(data, 'countersign.db'), { readOnly: true });
  try {
    return connection.prepare(statement).all();
  } finally {
    connection.close();
  }
}

/** The environment of nodes on the database, under the master key of the directory. */
const envFor = (url: string, data: string): Record<string, string> => ({
  ...envOf(url),
  COUNTERSIGN_MASTER_KEY: readFileSync(join(data, 'master.key'), 'utf8').trim(),
});

/** What is never the same on two engines, or is meant to differ. */
const asTold = (rows: Rows): unknown[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        value instanceof Uint8Array
          ? Buffer.from(value).toString('hex')
          : value === null
            ? ''
            : String(value),
      ]),
    ),
  );

type Installation = {
  readonly data: string;
  readonly cli: CommandLine;
  readonly client: Onboarded;
  readonly killed: Onboarded;
  readonly deleted: Onboarded;
  readonly asker: Onboarded;
  readonly tokens: { readonly live: string; readonly revoked: string; readonly killed: string };
};

async function serving<T>(
  data: string,
  env: Record<string, string>,
  body: (server: RunningServer) => Promise<T>,
): Promise<T> {
  const server = await startServer(data, { env });
  try {
    return await body(server);
  } finally {
    await server.stop();
  }
}

async function installation(): Promise<Installation> {
  const data = newDataDirectory();
  const cli = commandLine(data);
  const [client, killed, asker, deleted] = await asOperator(data, async (context) => [
    await onboard(context),
    await onboard(context),
    await onboard(context, { resourceServer: true }),
    await onboard(context),
  ]);
  // The highest ordinal there is: it must not be given to anybody else.
  await cli.json('client', 'delete', deleted.clientId);
  const tokens = await serving(data, {}, async ({ url }) => {
    const token = async (of: Onboarded): Promise<string> => (await requestToken(url, of)) ?? '';
    const taken = {
      live: await token(client),
      revoked: await token(client),
      killed: await token(killed),
    };
    await cli.json('token', 'revoke', taken.revoked);
    return taken;
  });
  await cli.json('program', 'suspend', killed.programId, '--reason', 'a leak, "quoted"');
  return { data, cli, client, killed, deleted, asker, tokens };
}

test(
  'what was moved to PostgreSQL goes on as if nothing had happened, and what was killed stays dead',
  options,
  async () => {
    const { data, cli, client, killed, deleted, asker, tokens } = await installation();
    const url = await newDatabase();
    const before = new Map(
      COPIED_TABLES.map((table) => [table, inDirectory(data, `SELECT * FROM ${table}`)]),
    );
    const moved = await cli.json('store', 'copy', '--to-database-url', url);
    assert.partialDeepStrictEqual(moved, {
      data,
      changed: true,
      clients: 4,
      tokens: 3,
    });

    const env = envFor(url, data);
    const there = commandLine(newDataDirectory(), env);
    assert.equal((await there.json('audit', 'verify'))['intact'], true);
    for (const [table, rows] of before) {
      if (table === 'store') continue;
      const copied = await inDatabase(url, `select * from ${table}`);
      const [expected, found] = [asTold(rows), asTold(copied)].map((list) =>
        list.map((row) => JSON.stringify(Object.entries(row as object).sort())),
      ) as [string[], string[]];
      const missing = expected.filter((row) => !found.includes(row));
      assert.deepEqual(missing, [], table);
      const added = found.length - expected.length;
      assert.equal(added, table === 'audit' || table === 'changes' ? 1 : 0, table);
    }
    const [head] = before.get('store') ?? [];
    assert.notEqual(moved['incarnation'], head?.['incarnation']);

    const ordinalOf = (clientId: string): Promise<number | undefined> =>
      asOperator(
        newDataDirectory(),
        async ({ directory }) => (await directory.clients({ clientId }))[0]?.ordinal,
        env,
      );
    await serving(newDataDirectory(), env, async (server) => {
      assert.equal(await introspect(server.url, asker, tokens.live), 'active');
      assert.equal(await introspect(server.url, asker, tokens.revoked), 'inactive');
      assert.equal(await introspect(server.url, asker, tokens.killed), 'inactive');
      assert.ok(await requestToken(server.url, client));
      assert.equal(await requestToken(server.url, killed), undefined);
      const fresh = await asOperator(newDataDirectory(), (context) => onboard(context), env);
      assert.equal(await ordinalOf(fresh.clientId), (await ordinalOf(deleted.clientId))! + 1);
      const suspended = await there.json('program', 'suspend', client.programId, '--reason', 'x');
      assert.equal(suspended['complete'], true);
      assert.equal(await introspect(server.url, asker, tokens.live), 'inactive');
    });
    const listed = (await there.json(
      'token',
      'list',
      '--client',
      client.clientId,
    )) as unknown as unknown[];
    assert.equal(listed.length, 3);
  },
);

test(
  'once it was moved, a data directory serves nobody and takes no change, not even from who had it open',
  options,
  async () => {
    const { data, cli, client } = await installation();
    const store = await openTestStore(data);
    const url = await newDatabase();
    await cli.json('store', 'copy', '--to-database-url', url);
    try {
      const said = /was moved to PostgreSQL \(127\.0\.0\.1:\d+\/countersign_\d+\) at 2/;
      const { programId } = client;
      const change = { kind: 'program.suspend', programId, reason: 'x' } as const;
      await assert.rejects(store.commit({ change, actor: 'test:late', atMs: 1 }), said);
      const { node } = store.takeNode();
      const registering = store.nodes.register({
        node,
        leaseMs: 1_000,
        version: '',
        listen: '',
        process: '',
        schema: 99,
      } as never);
      await assert.rejects(registering, said);
      await assert.rejects(startServer(data), said);
      for (const argv of [
        ['program', 'list'],
        ['backup', join(newDataDirectory(), 'file')],
      ]) {
        const { code, stderr } = await cli(argv);
        assert.equal(code, 1);
        assert.match(stderr, said);
      }
    } finally {
      await store.close();
    }
    const again = await cli.json('store', 'copy', '--to-database-url', url);
    assert.equal(again['changed'], false);
    const elsewhere = await cli(['store', 'copy', '--to-database-url', await newDatabase()]);
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.stderr, /was moved already, and that database holds no copy of it/);
  },
);

test(
  'a data directory is not moved while a server runs on it, nor onto anything that is not empty',
  options,
  async () => {
    const { data, cli } = await installation();
    const url = await newDatabase();
    const copy = (to: string) => cli(['store', 'copy', '--to-database-url', to]);
    await serving(data, {}, async () => {
      assert.match((await copy(url)).stderr, /^a server runs on .*: stop it, then repeat\n$/);
    });
    const paused = await startServer(data);
    paused.process.kill('SIGSTOP');
    assert.match((await copy(url)).stderr, /^a server runs on /);
    await paused.stop('SIGKILL');
    await commandLine(newDataDirectory(), envOf(url)).json('program', 'create', 'Other');
    assert.match((await copy(url)).stderr, /holds a store already, and nothing is replaced/);
    assert.equal((await cli(['store', 'copy'])).code, 2);
    // As it was: it serves.
    await serving(data, {}, async () => {});
  },
);

test('a copy that is killed half-way has changed neither side', options, async () => {
  const { data, cli } = await installation();
  const url = await newDatabase();
  await leaveTables(url, data);
  await inDatabase(
    url,
    'create function stall() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return null; end $$',
  );
  await inDatabase(url, 'create trigger planted before insert on audit execute function stall()');
  const argv = ['store', 'copy', '--data', data, '--to-database-url', url];
  const copying = spawn(process.execPath, [MAIN, ...argv]);
  const asleep =
    "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
  while ((await inDatabase(url, asleep)).length === 0) await pause(20);
  const late = await cli(['program', 'create', 'Late']);
  assert.match(late.stderr, /locked/, 'nobody changes the source meanwhile');
  copying.kill('SIGKILL');
  await once(copying, 'exit');
  // The database finds out at the end of the statement, or now.
  assert.ok(typeof postgres !== 'string');
  await postgres.asSuperuser(url, asleep.replace('select 1', 'select pg_terminate_backend(pid)'));
  await inDatabase(url, 'drop trigger planted on audit');
  assert.deepEqual(await inDatabase(url, 'select 1 from environments'), []);
  await serving(data, {}, async () => {});
  const moved = await cli.json('store', 'copy', '--to-database-url', url);
  assert.equal(moved['tokens'], 3);
});

/** As any try that failed early leaves the target: tables without a row. */
async function leaveTables(url: string, data: string): Promise<void> {
  const { clock, tell } = cutOffAtTheCommit();
  const deps = { clock, tell, randomness: systemRandomness(), actor: 'test:move' };
  await assert.rejects(moveStore(configOf(data), url, deps), /cut off/);
  await inDatabase(url, `truncate ${COPIED_TABLES.join(', ')}`);
  await inDatabase(url, `drop table ${await partitionOf(url)}`);
}

test(
  'a copy that fails half-way is taken back whole, and one that is cut off later is no store',
  options,
  async () => {
    const { data, cli } = await installation();
    const url = await newDatabase();
    const copy = () => cli(['store', 'copy', '--to-database-url', url]);
    // Its tables are there, as after any try that failed.
    await inDatabase(
      url,
      'create function fail() returns trigger language plpgsql as $$ begin raise exception $t$planted$t$; end $$',
    );
    const { clock, tell } = cutOffAtTheCommit();
    const deps = { clock, tell, randomness: systemRandomness(), actor: 'test:move' };
    await assert.rejects(moveStore(configOf(data), url, deps), /cut off/);
    const { code, stderr } = await commandLine(
      newDataDirectory(),
      envFor(url, data),
    )(['program', 'list']);
    assert.equal(code, 1);
    assert.match(stderr, /a copy of a store that has not come to its end/);
    assert.match((await copy()).stderr, /never came to its end: drop that database/);
    await serving(data, {}, async () => {});

    await inDatabase(url, `truncate ${COPIED_TABLES.join(', ')}`);
    await inDatabase(url, `drop table ${await partitionOf(url)}`);
    await inDatabase(url, 'create trigger planted before insert on audit execute function fail()');
    assert.match((await copy()).stderr, /planted/);
    assert.deepEqual(await inDatabase(url, 'select 1 from programs'), []);
    await serving(data, {}, async () => {});
    await inDatabase(url, 'drop trigger planted on audit');

    // The source is closed, and the copy cannot be opened: repeated, it comes to its end.
    await inDatabase(url, 'create trigger planted before insert on store execute function fail()');
    assert.match((await copy()).stderr, /the copy is whole but not yet open: planted; repeat/);
    await assert.rejects(startServer(data), /was moved to PostgreSQL/);
    await inDatabase(url, 'drop trigger planted on store');
    const finished = await cli.json('store', 'copy', '--to-database-url', url);
    assert.equal(finished['changed'], true);
    const there = commandLine(newDataDirectory(), envFor(url, data));
    assert.equal((await there.json('audit', 'verify'))['intact'], true);
  },
);

async function partitionOf(url: string): Promise<string> {
  const [row] = await inDatabase(
    url,
    "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'issued_tokens'::regclass",
  );
  return String(row?.['name']);
}

/** Fails when the copy is in the database and the source is still open. */
function cutOffAtTheCommit(): { clock: typeof systemClock; tell: (doing: string) => void } {
  let isCopied = false;
  const wallMs = (): number => {
    if (isCopied) throw new Error('cut off');
    return systemClock.wallMs();
  };
  return {
    clock: { ...systemClock, wallMs },
    tell: (doing) => {
      isCopied = doing === 'committing';
    },
  };
}
