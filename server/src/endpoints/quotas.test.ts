import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDataDirectory, openTestStore } from '../testing/data.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { HOUR_MS, newQuotas, type Quotas } from './quotas.ts';

const QUOTA = { perHour: 10, enforced: true };

test('two nodes keep to one quota, but for what is given before they have told each other', async () => {
  const data = newDataDirectory();
  const store = await openTestStore(data);
  const clock = newManualClock(HOUR_MS * 1_000);
  const open = (node: string): Quotas =>
    newQuotas({
      node,
      changes: store,
      clientIdOf: () => 'client_test_0000000000000007',
      log: { info() {}, warn() {}, error() {} },
      clock,
    });
  const [one, two] = [open('one'), open('two')];
  const take = (quotas: Quotas): string => quotas.take(7, QUOTA, clock.wallMs());
  const tellEachOther = async (): Promise<void> => {
    await one.share();
    await two.share();
  };
  for (let count = 0; count < 6; count += 1) {
    assert.equal(take(one), 'within');
    assert.equal(take(two), 'within', 'not told yet');
  }
  await tellEachOther();
  // What was untold is told once more, with the other's count in the answer.
  take(one);
  take(two);
  await tellEachOther();
  assert.equal(take(one), 'reached');
  assert.equal(take(two), 'reached');
  clock.advance(HOUR_MS);
  assert.equal(take(one), 'within', 'the next hour begins anew');
  await Promise.all([one.stop(), two.stop()]);
  await store.close();
});
