import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { systemRandomness } from '../../credentials/random.ts';
import { auditHash } from '../../ports/audit-chain.ts';
import { systemClock } from '../../system-clock.ts';
import { assertMaySkip, startPostgres } from '../../testing/postgres.ts';
import type { Store } from '../store.ts';
import { openConnections } from './connections.ts';
import { openPostgresStore } from './store.ts';
import { openTestDatabase } from './testing/open.ts';
import { stopAfter } from './testing/stopping-client.ts';

const WRITERS = 50;
const POOLS = 5;
const CHANGES_PER_WRITER = 8;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

async function withStores(
  count: number,
  body: (stores: readonly Store[], url: string) => Promise<void>,
): Promise<void> {
  assert.ok(typeof postgres !== 'string');
  const url = await postgres.newDatabase();
  const stores = await Promise.all(
    Array.from({ length: count }, async () => (await openTestDatabase(url)).store),
  );
  try {
    await body(stores, url);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

/** Reads numbers as a node does, those above the last it has seen, as fast as it can, until `done`. */
async function follow(url: string, table: string, done: Promise<unknown>): Promise<Set<number>> {
  const client = new pg.Client(url);
  await client.connect();
  const seen = new Set<number>();
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  for (let last = 0; ; ) {
    const isLastLook = isDone;
    const { rows } = await client.query<{ sequence: string }>(
      `select sequence from ${table} where sequence > $1 order by sequence`,
      [last],
    );
    for (const { sequence } of rows) seen.add(Number(sequence));
    last = Math.max(last, ...seen);
    if (isLastLook) break;
  }
  await client.end();
  return seen;
}

const numbersIn = async (url: string, table: string): Promise<readonly number[]> => {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ sequence: string }>(
    `select sequence from ${table} order by sequence`,
  );
  await client.end();
  return rows.map(({ sequence }) => Number(sequence));
};

function create(store: Store, name: string): Promise<number> {
  const programId = `program_${name.padStart(16, '0')}`;
  return store
    .commit({ change: { kind: 'program.create', programId, name }, actor: 'test:log', atMs: 1 })
    .then(({ sequence }) => sequence);
}

test(
  'fifty writers, refusals, rollbacks and killed sessions leave a log without a gap, and a follower misses nothing',
  options,
  () =>
    withStores(POOLS, async (stores, url) => {
      const confirmed: number[] = [];
      let failed = 0;
      const write = async (writer: number): Promise<void> => {
        const store = stores[writer % POOLS];
        assert.ok(store);
        for (let round = 0; round < CHANGES_PER_WRITER; round += 1) {
          const name = `${writer}x${round}`;
          const made = create(store, name).then(
            (sequence) => confirmed.push(sequence),
            () => (failed += 1),
          );
          // The same program once more: refused by the database when all of the change but its end is done.
          await Promise.all([
            made,
            round % 3 === 0 ? create(store, name).catch(() => {}) : undefined,
          ]);
        }
      };
      const writing = Promise.all(Array.from({ length: WRITERS }, (_, index) => write(index)));
      let isWriting = true;
      void writing.then(() => {
        isWriting = false;
      });
      const killing = (async () => {
        assert.ok(typeof postgres !== 'string');
        for (let kills = 0; isWriting && kills < 12; kills += 1) {
          await postgres.asSuperuser(
            url,
            `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'countersign' and datname = current_database() and state <> 'idle'
           order by random() limit 2`,
          );
          await pause(20);
        }
      })();
      const seen = await follow(url, 'changes', writing);
      await killing;
      const numbers = await numbersIn(url, 'changes');
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
      );
      assert.deepEqual([...seen], numbers, 'each was seen, and in order');
      assert.ok(confirmed.every((sequence) => seen.has(sequence)));
      assert.ok(
        failed > 0 && confirmed.length > 0,
        `${failed} failed, ${confirmed.length} did not`,
      );
      await assertChained(stores[0] as Store, numbers);
    }),
);

/** What failed half-way has left no line either. */
async function assertChained(store: Store, numbers: readonly number[]): Promise<void> {
  const links = await store.audit.chain({ after: 0, limit: 10_000 });
  let previous = '';
  for (const [index, { sequence, line, hash }] of links.entries()) {
    assert.equal(sequence, index + 1);
    assert.equal(hash, auditHash(previous, sequence, line));
    previous = hash;
  }
  assert.deepEqual(
    links.map(({ line }) => (JSON.parse(line) as { change: number }).change),
    numbers,
  );
}

test('control: of a log numbered by a serial column a follower misses changes', options, () =>
  withStores(1, async (_, url) => {
    const pool = new pg.Pool({ connectionString: url, max: WRITERS });
    await pool.query('create table plain (sequence bigserial primary key, writer int not null)');
    const write = async (writer: number): Promise<void> => {
      for (let round = 0; round < CHANGES_PER_WRITER; round += 1) {
        const client = await pool.connect();
        await client.query('begin');
        await client.query('insert into plain (writer) values ($1)', [writer]);
        await client.query('select pg_sleep(random() * 0.01)');
        await client.query((writer + round) % 5 === 4 ? 'rollback' : 'commit');
        client.release();
      }
    };
    const writing = Promise.all(Array.from({ length: WRITERS }, (_, index) => write(index)));
    const seen = await follow(url, 'plain', writing);
    const numbers = await numbersIn(url, 'plain');
    await pool.end();
    assert.ok(numbers.length < (numbers.at(-1) ?? 0), 'rollbacks leave gaps');
    assert.ok(seen.size < numbers.length, `saw ${seen.size} of ${numbers.length}`);
  }),
);

test(
  'of several who suspend one program at once, one changes it and the others are told of that change',
  options,
  () =>
    withStores(POOLS, async (stores) => {
      const [first] = stores as [Store];
      await create(first, 'a');
      const programId = 'program_000000000000000a';
      const suspended = await Promise.all(
        [...stores, ...stores].map((store) =>
          store.commit({
            change: { kind: 'program.suspend', programId, reason: 'leak' },
            actor: 'test:log',
            atMs: 1,
          }),
        ),
      );
      assert.equal(suspended.filter(({ changed }) => changed).length, 1);
      assert.equal(new Set(suspended.map(({ sequence }) => sequence)).size, 1);
      const [program] = await first.directory.programs({ programId });
      assert.equal(program?.generation, 1);
    }),
);

/** Begin, the locked row, its update, what is to be logged, the end: it takes these answers at least. */
const ANSWERS_OF_A_SUSPENSION_MIN = 5;
const ANSWERS_MAX = 30;

test('a process that stops anywhere in a change holds up nobody else', options, () =>
  withStores(1, async ([store], url) => {
    assert.ok(store && typeof postgres !== 'string');
    // What is held is held for good, so that no time-out of the server hides it.
    const database = new URL(url).pathname.slice(1);
    await postgres.asSuperuser(
      url,
      `alter role ${database} in database ${database} set idle_in_transaction_session_timeout = 0`,
    );
    await create(store, 'b');
    const programId = 'program_000000000000000b';
    const change = { kind: 'program.suspend', programId, reason: 'x' } as const;
    let answers = 0;
    // After each answer in turn, until it has had them all.
    for (let isCommitted = false; !isCommitted; answers += 1) {
      assert.ok(answers < ANSWERS_MAX);
      const client = await stopAfter(answers, Number(new URL(url).port));
      const way = new URL(url);
      way.port = String(client.port);
      const stopping = openPostgresStore({
        databaseUrl: way.href,
        notifications: false,
        clock: systemClock,
        randomness: systemRandomness(),
        masterKeyCheck: '',
      });
      const outcome = stopping.commit({ change, actor: 'test:log', atMs: 1 }).then(
        ({ changed }) => changed,
        () => 'none',
      );
      await client.stopped;
      // A lock on the head of the log would make this fail, by the time-out for locks.
      await create(store, `c${answers}`);
      client.close();
      isCommitted = (await outcome) === true;
      await stopping.close();
    }
    assert.ok(answers > ANSWERS_OF_A_SUSPENSION_MIN);
  }),
);

test(
  'a commit that no standby has confirmed counts as none, and one that waits for ever ends at a deadline',
  options,
  () =>
    withStores(0, async (_, url) => {
      assert.ok(typeof postgres !== 'string');
      const server = postgres;
      const connections = openConnections({
        databaseUrl: url,
        connectionsMax: 1,
        randomness: systemRandomness(),
        exchangeMsMax: 500,
      });
      const wait = (standbys: string) =>
        server
          .asSuperuser(url, `alter system set synchronous_standby_names = '${standbys}'`)
          .then(() => server.asSuperuser(url, 'select pg_reload_conf()'))
          .then(() => pause(100));
      await connections.use((session) => session.script('create table t (a int)'));
      const insert = (): Promise<unknown> =>
        connections.use((session) => session.script('begin; insert into t values (1); commit'));
      await wait('nobody');
      try {
        const waiting = /the outcome is unknown/;
        await assert.rejects(insert(), { name: 'StoreUnavailable', message: waiting });
        const cancelled = insert();
        const cancel = async (): Promise<void> => {
          await pause(100);
          await server.asSuperuser(
            url,
            `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and datname = current_database()`,
          );
        };
        const unconfirmed = assert.rejects(cancelled, {
          name: 'StoreUnavailable',
          message: /a standby has not confirmed/,
        });
        await Promise.all([unconfirmed, cancel()]);
      } finally {
        await wait('');
        await connections.close();
      }
    }),
);
