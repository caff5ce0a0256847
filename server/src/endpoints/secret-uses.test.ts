import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SecretUse } from '../ports/secret-upkeep.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { newSecretUses } from './secret-uses.ts';

function setUp() {
  const clock = newManualClock();
  const batches: (readonly SecretUse[])[] = [];
  const store = { fails: false };
  const uses = newSecretUses({
    clock,
    changes: {
      noteUses: (batch) => {
        if (store.fails) return Promise.reject(new StoreUnavailable('gone'));
        batches.push(batch);
        return Promise.resolve();
      },
    },
  });
  /** Lets time pass in steps of a second, so that whoever wakes can act. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { batches, store, uses, pass };
}

test('the first use is written soon, and later ones of that secret once a minute, the latest of them', async () => {
  const { batches, uses, pass } = setUp();
  uses.used(1, '192.0.2.1', 10);
  await pass(2_000);
  assert.deepEqual(batches, [[{ secret: 1, atMs: 10, address: '192.0.2.1' }]]);
  for (let atMs = 11; atMs < 40; atMs += 1) uses.used(1, '192.0.2.2', atMs);
  uses.used(2, '192.0.2.3', 40);
  await pass(58_000);
  assert.deepEqual(batches.slice(1), [[{ secret: 2, atMs: 40, address: '192.0.2.3' }]]);
  await pass(2_000);
  assert.deepEqual(batches.slice(2), [[{ secret: 1, atMs: 39, address: '192.0.2.2' }]]);
  await pass(600_000);
  assert.equal(batches.length, 3, 'what is not used is not written');
  await uses.stop();
});

test('what the store could not take is written when it can, and the end waits for no minute', async () => {
  const { batches, store, uses, pass } = setUp();
  store.fails = true;
  uses.used(1, '192.0.2.1', 10);
  await pass(4_000);
  assert.deepEqual(batches, []);
  store.fails = false;
  await pass(2_000);
  assert.equal(batches.length, 1);
  uses.used(1, '192.0.2.1', 11);
  await uses.stop();
  assert.deepEqual(batches[1], [{ secret: 1, atMs: 11, address: '192.0.2.1' }]);
});

test('memory is bounded, and so is each write', async () => {
  const { batches, uses } = setUp();
  for (let secret = 1; secret <= 30_000; secret += 1) uses.used(secret, '192.0.2.1', secret);
  await uses.stop();
  const written = batches.flat();
  assert.equal(written.length, 20_000);
  assert.equal(written.at(-1)?.secret, 30_000, 'the oldest go first');
  assert.ok(batches.every((batch) => batch.length <= 500));
});
