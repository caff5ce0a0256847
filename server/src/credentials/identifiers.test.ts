import assert from 'node:assert/strict';
import test from 'node:test';
import { withChecksum } from './crc32.ts';
import {
  defaultBrand,
  isEnvironmentTag,
  newClientId,
  newProgramId,
  newSecret,
  newSecretId,
  tagOfClientId,
  tagOfSecret,
  tagOfToken,
} from './identifiers.ts';
import { systemRandomness } from './random.ts';

const random = systemRandomness();
const token = withChecksum(`token_test_${'Ab_-'.repeat(21)}`);

test('each kind of identifier has its own shape', () => {
  assert.match(newClientId(random, 'test'), /^client_test_[0-9A-Za-z]{16}$/);
  assert.match(newSecret(random, 'live').reveal(), /^secret_live_[0-9A-Za-z]{49}$/);
  assert.match(newProgramId(random), /^program_[0-9A-Za-z]{16}$/);
  assert.match(newSecretId(random), /^sec_[0-9A-Za-z]{16}$/);
});

test('what was made is told by its tag, and by no other kind', () => {
  const clientId = newClientId(random, 'test');
  const secret = newSecret(random, 'live').reveal();
  assert.equal(tagOfClientId(clientId), 'test');
  assert.equal(tagOfSecret(secret), 'live');
  assert.equal(tagOfToken(token), 'test');
  assert.equal(tagOfSecret(clientId), undefined);
  assert.equal(tagOfToken(secret), undefined);
  assert.equal(tagOfClientId(secret), undefined);
});

test('a client id is known in its exact spelling only (T-22)', () => {
  const id = 'client_test_0123456789ABCDEF';
  assert.equal(tagOfClientId(id), 'test');
  const others = [
    id.toUpperCase(),
    `Client${id.slice(6)}`,
    ` ${id}`,
    `${id} `,
    `${id}\n`,
    `${id}\0`,
    `${id}0`,
    id.slice(0, -1),
    id.replace('_', '-'),
    id.replace('test', 't'),
    id.replace('test', 'TEST'),
    id.replace('test', 'averylongtagx'),
    id.replace('test_', ''),
    id.replace('E', '\u0415'),
    id.replace('E', '\uff25'),
    `${id.slice(0, 20)}\u200b${id.slice(20)}`,
    `secret${id.slice(6)}`,
    '',
  ];
  for (const other of others) assert.equal(tagOfClientId(other), undefined, other);
});

test('a secret or token with a character changed, added or missing is told from its checksum', () => {
  const secret = newSecret(random, 'test').reveal();
  for (const [good, tagOf] of [
    [secret, tagOfSecret],
    [token, tagOfToken],
  ] as const) {
    assert.equal(tagOf(good), 'test');
    for (let at = 0; at < good.length; at++) {
      const other = good[at] === 'a' ? 'b' : 'a';
      assert.equal(tagOf(good.slice(0, at) + other + good.slice(at + 1)), undefined);
      assert.equal(tagOf(good.slice(0, at) + good.slice(at + 1)), undefined);
      assert.equal(tagOf(good.slice(0, at) + other + good.slice(at)), undefined);
    }
  }
});

test('a brand of its own is an identifier of that brand and of no other', () => {
  const brand = { client: 'acmeid', secret: 'acmesecret', token: 'acmetoken' };
  const clientId = newClientId(random, 'live', brand);
  const secret = newSecret(random, 'live', brand).reveal();
  assert.match(clientId, /^acmeid_live_/);
  assert.equal(tagOfClientId(clientId, brand), 'live');
  assert.equal(tagOfSecret(secret, brand), 'live');
  assert.equal(tagOfClientId(clientId), undefined);
  assert.equal(tagOfSecret(secret), undefined);
});

test('a tag or brand that would make ambiguous identifiers is refused', () => {
  for (const tag of ['', 'x', 'Test', 'te_st', 'te-st', 'abcdefghijklm', 'té']) {
    assert.ok(!isEnvironmentTag(tag), tag);
    assert.throws(() => newClientId(random, tag), RangeError, tag);
  }
  for (const client of ['', 'My', '1st', 'a_b', 'abcdefghijklmnopq']) {
    const brand = { ...defaultBrand, client };
    assert.throws(() => newClientId(random, 'test', brand), RangeError, client);
  }
});
