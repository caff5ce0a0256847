import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { OTHER_ADDRESSES, type RefusalCount } from '../ports/refusal-counts.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { newDataDirectory, openTestStore } from '../testing/data.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { newRefusalCounts } from './refusal-counts.ts';

const HOUR_MS = 3_600_000;
const store = await openTestStore(newDataDirectory());
after(() => store.close());

const at = (address: string) =>
  ({ requestId: '-', address, environment: { ordinal: 1, name: 'sandbox' } }) as const;
const party = (ordinal: number, secret?: number) => ({
  client: { ordinal, clientId: `client_test_${ordinal}` },
  secret,
});

function countsFrom(startMs: number, changes: Parameters<typeof newRefusalCounts>[0]['changes']) {
  const clock = newManualClock(startMs);
  const log = { info() {}, warn() {}, error() {} };
  return { clock, counts: newRefusalCounts({ changes, clock, log, onWrite: () => {} }) };
}

const readAll = (hour: number): Promise<readonly RefusalCount[]> =>
  store.directory.refusals({
    sinceMs: hour * HOUR_MS,
    untilMs: (hour + 1) * HOUR_MS - 1,
    limit: 10_000,
  });

const sum = (rows: readonly RefusalCount[]): number =>
  rows.reduce((total, { count }) => total + count, 0);

test('what two nodes count of one client adds up, by reason, secret and address, with first and last time', async () => {
  const one = countsFrom(1_000 * HOUR_MS, store);
  const two = countsFrom(1_000 * HOUR_MS + 5_000, store);
  for (const { counts, clock } of [one, two]) {
    counts.counted('wrong-secret', at('192.0.2.7'), party(7));
    clock.advance(1_000);
    counts.counted('wrong-secret', at('192.0.2.7'), party(7));
    counts.counted('expired-secret', at('192.0.2.8'), party(7, 70));
    counts.counted('unknown-client', at('192.0.2.9'), {});
    await counts.stop();
  }
  const query = { sinceMs: 1_000 * HOUR_MS, untilMs: 1_000 * HOUR_MS + 60_000, limit: 10 };
  const rows = await store.directory.refusals({ ...query, client: 7 });
  assert.deepEqual(
    rows.map(({ reason, address, secret, count }) => [reason, address, secret, count]),
    [
      ['expired-secret', '192.0.2.8', 70, 2],
      ['wrong-secret', '192.0.2.7', 0, 4],
    ],
  );
  assert.equal(rows[1]?.firstAtMs, 1_000 * HOUR_MS);
  assert.equal(rows[1]?.lastAtMs, 1_000 * HOUR_MS + 6_000);
  assert.equal(sum(await store.directory.refusals(query)), 8);
});

test('from thousands of addresses come a few hundred rows, and every attempt is in their sum', async () => {
  const { counts } = countsFrom(2_000 * HOUR_MS, store);
  for (let n = 0; n < 5_000; n += 1) {
    counts.counted('unknown-client', at(`198.51.${n >> 8}.${n & 255}`), {});
    counts.counted('wrong-secret', at(`203.0.${n >> 8}.${n & 255}`), party(8));
    counts.counted('not-found', at(`203.0.${n >> 8}.${n & 255}`), party(n + 100));
  }
  await counts.stop();
  const rows = await readAll(2_000);
  assert.equal(sum(rows), 15_000);
  assert.ok(rows.length < 600, `${rows.length} rows`);
  const own = rows.filter(({ client }) => client === 8);
  const others = own.find(({ address }) => address === OTHER_ADDRESSES);
  assert.ok(own.length <= 51, `${own.length} rows of one client`);
  assert.equal(sum(own), 5_000, 'what a client was refused stays its own');
  assert.ok((others?.count ?? 0) > 4_900);
});

test('what cannot be written is written later, once, and under the hour in which it happened', async () => {
  let isOut = true;
  let tried = 0;
  const { counts, clock } = countsFrom(3_000 * HOUR_MS, {
    noteRefusals: async (rows) => {
      tried += 1;
      if (isOut) throw new StoreUnavailable('out');
      await store.noteRefusals(rows);
    },
  });
  counts.counted('wrong-secret', at('192.0.2.7'), party(9));
  clock.advance(10_000);
  for (let n = 0; n < 50 && tried === 0; n += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(tried, 1);
  clock.advance(HOUR_MS);
  counts.counted('wrong-secret', at('192.0.2.7'), party(9));
  isOut = false;
  await counts.stop();
  assert.equal(sum(await readAll(3_000)), 1);
  assert.equal(sum(await readAll(3_001)), 1);
});
