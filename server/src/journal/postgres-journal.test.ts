import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { OpenedData } from '../data-directory.ts';
import { openTestDatabase } from '../stores/postgres/testing/open.ts';
import { assertMaySkip, startPostgres } from '../testing/postgres.ts';
import { openPostgresJournal, QUEUE_TOKENS_MAX } from './postgres-journal.ts';
import { hex, numberedToken } from './testing/sample-journal.ts';

const DAY_MS = 86_400_000;

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

type Rows = readonly Record<string, unknown>[];

async function withJournal(
  body: (data: OpenedData, sql: (statement: string) => Promise<Rows>) => Promise<void>,
): Promise<void> {
  assert.ok(typeof postgres !== 'string');
  const server = postgres;
  const url = await server.newDatabase();
  const data = await openTestDatabase(url);
  try {
    await body(data, (statement) => server.asSuperuser(url, statement));
  } finally {
    await data.store.close();
  }
}

const open = ({ journal }: OpenedData) =>
  journal.open({ slot: '1', onTrouble: (message) => assert.fail(message) });

test(
  'a token whose append has resolved is on record, field by field, and many travel together',
  options,
  () =>
    withJournal(async (data, sql) => {
      const journal = await open(data);
      const nowMs = Date.now();
      const tokens = Array.from({ length: 5_000 }, (_, number) =>
        numberedToken(number, { issuedAtMs: nowMs + number, address: `10.0.0.${number % 250}` }),
      );
      await Promise.all(tokens.map((token) => journal.append(token)));
      const [row] = await sql(
        'select count(*)::int as rows, count(distinct xmin::text)::int as batches from issued_tokens',
      );
      assert.equal(row?.['rows'], tokens.length);
      assert.equal(row?.['batches'], 2, 'a batch is 4,096 at most');
      const newest = await data.journal.reader.list({ client: 7, sinceMs: nowMs, limit: 3 });
      assert.deepEqual(
        newest.map(({ jti, ...rest }) => ({ ...rest, jti: Buffer.from(jti) })),
        tokens.slice(-3).reverse(),
      );
      const since = { client: 7, sinceMs: nowMs + 4_999, limit: 10 };
      assert.equal((await data.journal.reader.list(since)).length, 1);
      assert.deepEqual(await data.journal.reader.list({ ...since, client: 8 }), []);
      const moment = { client: 7, sinceMs: nowMs + 2, untilMs: nowMs + 2, limit: 10 };
      const [atMoment, ...others] = await data.journal.reader.list(moment);
      assert.deepEqual([hex(atMoment ?? numberedToken(0)), others], [hex(numberedToken(2)), []]);
      await journal.close();
      await assert.rejects(journal.append(numberedToken(1)), { name: 'StoreUnavailable' });
    }),
);

test(
  'what could not be committed is refused to all who waited, and the next batch is not',
  options,
  () =>
    withJournal(async (data, sql) => {
      const journal = await open(data);
      await sql('alter table issued_tokens add constraint broken check (client <> 7) not valid');
      const refused = await Promise.allSettled(
        [1, 2, 3].map((n) => journal.append(numberedToken(n))),
      );
      assert.ok(refused.every(({ status }) => status === 'rejected'));
      await sql('alter table issued_tokens drop constraint broken');
      const token = numberedToken(4);
      await journal.append(token);
      const rows = await sql("select encode(jti, 'hex') as jti from issued_tokens");
      assert.deepEqual(rows, [{ jti: hex(token) }]);
      // A session that is killed costs its batch, not the journal.
      await sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign'",
      );
      await journal.append(numberedToken(5)).catch(() => journal.append(numberedToken(5)));
      assert.equal((await sql('select from issued_tokens')).length, 2);
      await journal.close();
    }),
);

test('a queue beyond its bound is refused at once', async () => {
  const { promise: never, resolve: letGo } = Promise.withResolvers<void>();
  let statements = 0;
  const journal = await openPostgresJournal({
    run: () => {
      statements += 1;
      return statements === 1 ? Promise.resolve() : never;
    },
    end: () => Promise.resolve(),
    onTrouble: (message) => assert.fail(message),
  });
  const waiting = Array.from({ length: QUEUE_TOKENS_MAX }, (_, n) =>
    journal.append(numberedToken(n)),
  );
  await assert.rejects(journal.append(numberedToken(0)), /too many tokens waiting/);
  letGo();
  await Promise.all(waiting);
  await journal.close();
});

test('partitions are made ahead, and leave whole once they are past the retention', options, () =>
  withJournal(async (data, sql) => {
    const days = async (): Promise<readonly number[]> =>
      (
        await sql(
          "select substring(inhrelid::regclass::text from '[0-9]+$')::int as day from pg_inherits where inhparent = 'issued_tokens'::regclass order by 1",
        )
      ).map(({ day }) => Number(day));
    const first = await open(data);
    const today = Math.floor(Date.now() / DAY_MS);
    const ahead = Array.from({ length: 8 }, (_, index) => today + index);
    assert.deepEqual(await days(), ahead);
    for (const age of [10, 420]) {
      const day = today - age;
      await sql(
        `create table issued_tokens_${day} partition of issued_tokens for values from (${day * DAY_MS}) to (${(day + 1) * DAY_MS})`,
      );
      const [{ owner } = {}] = await sql(
        "select tableowner as owner from pg_tables where tablename = 'issued_tokens'",
      );
      await sql(`alter table issued_tokens_${day} owner to ${owner}`);
    }
    const others = await Promise.all([open(data), open(data), open(data)]);
    assert.deepEqual(await days(), [today - 10, ...ahead], 'thirteen months are kept');
    await Promise.all([first, ...others].map((journal) => journal.close()));
  }),
);
