import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyRing } from '../credentials/key-ring.ts';
import { MasterKey } from '../credentials/key-wrapping.ts';
import { systemRandomness } from '../credentials/random.ts';
import { macOfSecret, sameMac } from '../credentials/secret-hash.ts';
import type { SecretMove } from '../ports/secret-upkeep.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { newSecretMoves } from './secret-moves.ts';

const random = systemRandomness();
const environment = { ordinal: 1, name: 'sandbox', tag: 'test' };
const PRESENTED = 'a secret';

/** A store whose answers come when the test lets them. */
function setUp(peppers: number) {
  const keyRing = new KeyRing(new MasterKey(random.bytes(32), random));
  for (let version = 1; version <= peppers; version += 1) {
    const key = { purpose: 'secret', version } as const;
    const wrapped = keyRing.newRoot({ ...key, environment: 'sandbox' }, random);
    keyRing.add({ ...key, environment, wrapped });
  }
  const asked: SecretMove[] = [];
  const waiting: { resolve: (moved: boolean) => void; reject: (error: Error) => void }[] = [];
  const forgotten: number[] = [];
  const moves = newSecretMoves({
    keyRing,
    changes: {
      moveSecret: (move) => {
        asked.push(move);
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
    },
    credentials: { forget: (client) => forgotten.push(client) },
  });
  const used = (ordinal: number, pepperVersion = 1): void => {
    const pepper = keyRing.pepper(1, pepperVersion);
    assert.ok(pepper);
    const mac = macOfSecret(pepper, PRESENTED);
    const stored = { ordinal, secretId: `sec_${ordinal}`, mac, pepperVersion, revoked: false };
    moves.used({ environment: 1, client: 7, stored, presented: PRESENTED });
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { keyRing, asked, waiting, forgotten, used, settled };
}

test('a secret under the newest pepper stays, at no cost', () => {
  const { asked, used } = setUp(2);
  used(1, 2);
  assert.deepEqual(asked, []);
});

test('a used secret moves to the newest pepper, and is loaded anew afterwards', async () => {
  const { keyRing, asked, waiting, forgotten, used, settled } = setUp(3);
  used(1);
  const [move] = asked;
  assert.ok(move);
  assert.deepEqual(
    [move.environment, move.secret, move.from.pepperVersion, move.to.pepperVersion],
    [1, 1, 1, 3],
  );
  const { pepper } = keyRing.newestPepper(1);
  assert.ok(sameMac(move.to.mac, macOfSecret(pepper, PRESENTED)));
  assert.deepEqual(forgotten, []);
  // Another node was first: what is cached here is old all the same.
  waiting[0]?.resolve(false);
  await settled();
  assert.deepEqual(forgotten, [7]);
});

test('a flood of uses moves each secret once, and few at a time', async () => {
  const { asked, waiting, used, settled } = setUp(2);
  for (let round = 0; round < 100; round += 1) {
    for (let ordinal = 1; ordinal <= 10; ordinal += 1) used(ordinal);
  }
  assert.deepEqual(
    asked.map(({ secret }) => secret),
    [1, 2, 3, 4],
  );
  waiting[0]?.resolve(true);
  await settled();
  for (let ordinal = 2; ordinal <= 10; ordinal += 1) used(ordinal);
  assert.deepEqual(
    asked.map(({ secret }) => secret),
    [1, 2, 3, 4, 5],
  );
});

test('a move that fails is left for the next use', async () => {
  const { asked, waiting, forgotten, used, settled } = setUp(2);
  used(1);
  waiting[0]?.reject(new StoreUnavailable('no disk'));
  await settled();
  assert.deepEqual(forgotten, []);
  used(1);
  assert.equal(asked.length, 2);
});
