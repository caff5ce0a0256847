import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { systemRandomness } from '../../credentials/random.ts';
import { startFaultyProxy } from '../../testing/faulty-proxy.ts';
import { assertMaySkip, startPostgres } from '../../testing/postgres.ts';
import { openConnections } from './connections.ts';
import { watchNotifications } from './watch.ts';

const WAIT_MS_MAX = 20_000;

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

async function newDatabase(): Promise<string> {
  assert.ok(typeof postgres !== 'string');
  return await postgres.newDatabase();
}

/** Listens by a faulty way; `heard` notifies over and over until the listener has woken. */
async function withListener(
  settings: { aliveEveryMs: number; lifeMsMax?: number },
  body: (at: {
    way: Awaited<ReturnType<typeof startFaultyProxy>>;
    heard: () => Promise<void>;
    listeners: () => Promise<string[]>;
  }) => Promise<void>,
): Promise<void> {
  const url = new URL(await newDatabase());
  const direct = new pg.Client(url.href);
  await direct.connect();
  const way = await startFaultyProxy(Number(url.port));
  url.port = String(way.port);
  let woken = 0;
  const randomness = systemRandomness();
  const stop = watchNotifications({ databaseUrl: url.href, randomness, ...settings }, () => {
    woken += 1;
  });
  const until = async (isSo: () => boolean): Promise<void> => {
    const deadlineMs = performance.now() + WAIT_MS_MAX;
    while (!isSo()) {
      assert.ok(performance.now() < deadlineMs, 'no notification came');
      await direct.query("notify countersign, '1'");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  try {
    await body({
      way,
      heard: async () => {
        const before = woken;
        await until(() => woken > before);
      },
      listeners: async () =>
        (
          await direct.query<{ pid: string }>(
            "select pid::text from pg_stat_activity where application_name = 'countersign'",
          )
        ).rows.map(({ pid }) => pid),
    });
  } finally {
    stop();
    await way.close();
    await direct.end();
  }
}

test(
  'a listening connection that died without a word is noticed, and notifications come again',
  options,
  () =>
    withListener({ aliveEveryMs: 100 }, async ({ way, heard }) => {
      await heard();
      way.blackhole('listening');
      way.heal();
      // What was caught stays lost: only a new connection can hear anything.
      await heard();
      assert.ok(way.swallowedBytes() > 0);
    }),
);

test(
  'a listening connection does not stay for ever with the server that it found first',
  options,
  () =>
    withListener({ aliveEveryMs: 50, lifeMsMax: 200 }, async ({ heard, listeners }) => {
      await heard();
      const [first] = await listeners();
      let now = first;
      while (now === first || now === undefined) {
        await heard();
        [now] = await listeners();
      }
    }),
);

test(
  'a connection whose server has become one that cannot write is not used again; one that only refused is',
  options,
  async () => {
    const databaseUrl = await newDatabase();
    const connections = openConnections({
      databaseUrl,
      connectionsMax: 1,
      randomness: systemRandomness(),
    });
    const pid = () =>
      connections.use(
        async (session) => (await session.query('select pg_backend_pid() as pid'))[0]?.['pid'],
      );
    const first = await pid();
    await assert.rejects(connections.use((session) => session.query('select 1/0')));
    assert.equal(await pid(), first);
    const write = connections.use(async (session) => {
      await session.script('begin read only');
      await session.script('create table t (a int)');
    });
    await assert.rejects(write, { name: 'StoreUnavailable' });
    assert.notEqual(await pid(), first);
    await connections.close();
  },
);
