import assert from 'node:assert/strict';
import test from 'node:test';
import { derivePepper } from './derive.ts';
import { newSecret } from './identifiers.ts';
import { systemRandomness } from './random.ts';
import { macOfSecret, SECRET_LENGTH_MAX, sameMac } from './secret-hash.ts';

const random = systemRandomness();
const root = random.bytes(32);
const pepper = derivePepper(root, 'sandbox', 1);

test('a secret equals what was stored of it, and no other secret does', () => {
  const secret = newSecret(random, 'test').reveal();
  const stored = macOfSecret(pepper, secret);
  assert.equal(stored.length, 32);
  assert.ok(sameMac(macOfSecret(pepper, secret), stored));
  for (const wrong of [
    '',
    secret.slice(0, -1),
    `${secret}0`,
    `${secret}\0`,
    secret.toUpperCase(),
  ]) {
    assert.ok(!sameMac(macOfSecret(pepper, wrong), stored), wrong);
  }
});

test('what is stored of a secret holds in one environment and under one pepper version only', () => {
  const stored = macOfSecret(pepper, 'a secret');
  const others = [
    derivePepper(root, 'production', 1),
    derivePepper(root, 'sandbox', 2),
    derivePepper(random.bytes(32), 'sandbox', 1),
  ];
  for (const other of others) assert.ok(!sameMac(macOfSecret(other, 'a secret'), stored));
});

test('the longest secret is hashed whole, and one character more never equals it (T-54)', () => {
  const longest = 's'.repeat(SECRET_LENGTH_MAX);
  const stored = macOfSecret(pepper, longest);
  assert.ok(sameMac(macOfSecret(pepper, longest), stored));
  assert.ok(!sameMac(macOfSecret(pepper, `${longest.slice(0, -1)}x`), stored));
  assert.ok(!sameMac(macOfSecret(pepper, `${longest}s`), stored));
  assert.ok(!sameMac(macOfSecret(pepper, longest.repeat(1000)), stored));
});

test('past the limit nothing more is hashed', () => {
  const long = 's'.repeat(SECRET_LENGTH_MAX + 1);
  assert.deepEqual(macOfSecret(pepper, `${long}tail`), macOfSecret(pepper, long));
});

test('a stored value that is empty or cut short equals nothing', () => {
  const mac = macOfSecret(pepper, 'a secret');
  assert.ok(!sameMac(mac, mac.subarray(0, 31)));
  assert.ok(!sameMac(mac, Buffer.alloc(0)));
  assert.ok(!sameMac(Buffer.alloc(0), Buffer.alloc(0)));
});
