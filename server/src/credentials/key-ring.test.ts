import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import type { KeyPurpose } from '../ports/model.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { openToken, sealToken } from './access-token.ts';
import { KeyRing } from './key-ring.ts';
import { MasterKey } from './key-wrapping.ts';
import { systemRandomness } from './random.ts';
import { macOfSecret, sameMac } from './secret-hash.ts';

const random = systemRandomness();
const sandbox = { ordinal: 1, name: 'sandbox', tag: 'test' };
const production = { ordinal: 2, name: 'production', tag: 'live' };
const claims = {
  client: 7,
  generation: 3,
  secret: 9,
  issuedAtMs: 1_767_225_600_000,
  lifetimeSeconds: 3600,
  scopeSet: 2,
  resource: 1,
};

const newMaster = () => new MasterKey(random.bytes(32), random);

/** A new root key of `environment` under the name `token/1` or `secret/1`. */
function newKey(ring: KeyRing, name: `${KeyPurpose}/${number}`, environment = sandbox) {
  const purpose = name.startsWith('token') ? 'token' : 'secret';
  const version = Number(name.split('/')[1]);
  const wrapped = ring.newRoot({ purpose, environment: environment.name, version }, random);
  return { purpose, environment, version, wrapped } as const;
}

function newToken(ring: KeyRing, environmentOrdinal: number): string {
  return sealToken(ring.sealingKey(environmentOrdinal).key, random.bytes(12), claims);
}

test('two rings that were told the same keys open each other’s tokens and know the same secrets', () => {
  const master = newMaster();
  const [one, two] = [new KeyRing(master), new KeyRing(master)];
  for (const key of [newKey(one, 'token/1'), newKey(one, 'secret/1')]) {
    one.add(key);
    two.add(key);
  }
  assert.ok(openToken(newToken(one, 1), two.tokenKeys(1)).ok);
  const stored = macOfSecret(one.newestPepper(1).pepper, 'a secret');
  const pepper = two.pepper(1, 1);
  assert.ok(pepper !== undefined && sameMac(macOfSecret(pepper, 'a secret'), stored));
});

test('after a rotation new tokens take the newest key and old tokens still open', () => {
  const ring = new KeyRing(newMaster());
  ring.add(newKey(ring, 'token/1'));
  const old = newToken(ring, 1);
  ring.add(newKey(ring, 'token/3'));
  ring.add(newKey(ring, 'token/2'));
  assert.equal(ring.newestTokenVersion(1), 3);
  assert.equal(ring.sealingKey(1).version, 3);
  const opened = openToken(newToken(ring, 1), ring.tokenKeys(1));
  assert.ok(opened.ok && opened.keyVersion === 3);
  assert.ok(openToken(old, ring.tokenKeys(1)).ok);
});

test('a pepper is found by its version, however many came after it', () => {
  const ring = new KeyRing(newMaster());
  ring.add(newKey(ring, 'secret/1'));
  const first = ring.newestPepper(1);
  ring.add(newKey(ring, 'secret/2'));
  assert.equal(ring.newestPepper(1).version, 2);
  assert.equal(ring.pepper(1, 1), first.pepper);
  assert.notEqual(ring.pepper(1, 2), first.pepper);
  assert.equal(ring.pepper(1, 3), undefined);
});

test('being told a key again changes nothing, and a lookup held before learns of new keys', () => {
  const ring = new KeyRing(newMaster());
  const key = newKey(ring, 'token/1');
  ring.add(key);
  const held = ring.tokenKeys(1);
  const before = ring.sealingKey(1);
  ring.add({ ...key });
  assert.equal(ring.sealingKey(1), before);
  assert.equal(ring.tokenKeys(1), held);
  ring.add(newKey(ring, 'token/2'));
  assert.ok(openToken(newToken(ring, 1), held).ok);
});

test('the last word on a version holds, and tokens of the key it replaced are refused', () => {
  const ring = new KeyRing(newMaster());
  ring.add(newKey(ring, 'token/1'));
  const token = newToken(ring, 1);
  ring.add(newKey(ring, 'token/1'));
  const opened = openToken(token, ring.tokenKeys(1));
  assert.equal(opened.ok ? 'opened' : opened.why, 'forged');
});

test('environments share nothing, even under one master key', () => {
  const ring = new KeyRing(newMaster());
  ring.add(newKey(ring, 'token/1', sandbox));
  ring.add(newKey(ring, 'token/1', production));
  assert.deepEqual(openToken(newToken(ring, 2), ring.tokenKeys(1)), {
    ok: false,
    why: 'other-environment',
    tag: 'live',
  });
  assert.equal(ring.pepper(2, 1), undefined);
});

test('a root wrapped for one place is refused in every other', () => {
  const ring = new KeyRing(newMaster());
  const key = newKey(ring, 'token/1');
  const elsewhere = [
    { ...key, purpose: 'secret' as const },
    { ...key, version: 2 },
    { ...key, environment: production },
  ];
  for (const moved of elsewhere) {
    assert.throws(() => ring.add(moved), { name: 'MasterKeyError' });
  }
  assert.throws(() => ring.sealingKey(1), StoreUnavailable);
});

test('another master key opens nothing and leaves the ring as it was', () => {
  const [own, foreign] = [new KeyRing(newMaster()), new KeyRing(newMaster())];
  own.add(newKey(own, 'token/1'));
  assert.throws(() => own.add(newKey(foreign, 'token/2')), { name: 'MasterKeyError' });
  assert.equal(own.newestTokenVersion(1), 1);
});

test('a ring without keys is an outage, not a refusal of anybody’s credential', () => {
  const ring = new KeyRing(newMaster());
  const key = newKey(ring, 'token/1');
  ring.add(key);
  assert.throws(() => ring.newestPepper(1), StoreUnavailable);
  ring.reset();
  assert.throws(() => ring.tokenKeys(1), StoreUnavailable);
  assert.throws(() => ring.sealingKey(1), StoreUnavailable);
  assert.equal(ring.newestTokenVersion(1), 0);
  assert.equal(ring.pepper(1, 1), undefined);
  ring.add(key);
  assert.equal(ring.newestTokenVersion(1), 1);
});

test('a brand of its own reaches the tokens', () => {
  const brand = { client: 'acmeid', secret: 'acmesecret', token: 'acmetoken' };
  const ring = new KeyRing(newMaster(), brand);
  ring.add(newKey(ring, 'token/1'));
  const token = newToken(ring, 1);
  assert.match(token, /^acmetoken_test_/);
  assert.ok(openToken(token, ring.tokenKeys(1)).ok);
});

test('a new root key is wiped once it is wrapped', () => {
  const root = Buffer.alloc(32, 7);
  const ring = new KeyRing(newMaster());
  const of = { purpose: 'token', environment: 'sandbox', version: 1 } as const;
  const wrapped = ring.newRoot(of, { bytes: () => root });
  assert.deepEqual(root, Buffer.alloc(32));
  ring.add({ purpose: 'token', environment: sandbox, version: 1, wrapped });
  assert.ok(openToken(newToken(ring, 1), ring.tokenKeys(1)).ok);
});

test('a key ring prints no key', () => {
  const ring = new KeyRing(newMaster());
  ring.add(newKey(ring, 'token/1'));
  assert.equal(inspect(ring, { showHidden: true, depth: 9 }), 'KeyRing {}');
  assert.ok(!inspect(ring.sealingKey(1), { depth: 9 }).includes('Buffer'));
});

test('a retired key opens nothing and compares nothing, and the newest stays what it was', () => {
  const ring = new KeyRing(newMaster());
  for (const name of ['token/1', 'secret/1', 'secret/2'] as const) ring.add(newKey(ring, name));
  const old = newToken(ring, 1);
  ring.add(newKey(ring, 'token/2'));
  for (const purpose of ['token', 'secret'] as const) {
    ring.retire({ purpose, environment: 1, version: 1 });
    ring.retire({ purpose, environment: 9, version: 1 });
  }
  const opened = openToken(old, ring.tokenKeys(1));
  assert.ok(!opened.ok && opened.why === 'unknown-key');
  assert.equal(ring.pepper(1, 1), undefined);
  assert.deepEqual([ring.newestTokenVersion(1), ring.newestPepperVersion(1)], [2, 2]);
  assert.ok(openToken(newToken(ring, 1), ring.tokenKeys(1)).ok);
});

test('a key that is wrapped under another master key is the same key there, and nowhere else', () => {
  const [before, after] = [newMaster(), newMaster()];
  const ring = new KeyRing(before);
  const key = newKey(ring, 'token/1');
  ring.add(key);
  const token = newToken(ring, 1);
  const wrapped = ring.rewrap({ ...key, environment: 'sandbox' }, after);
  const moved = new KeyRing(after);
  moved.add({ ...key, wrapped });
  assert.ok(openToken(token, moved.tokenKeys(1)).ok);
  assert.throws(() => new KeyRing(before).add({ ...key, wrapped }), { name: 'MasterKeyError' });
  assert.throws(() => moved.rewrap({ ...key, environment: 'sandbox' }, after), {
    name: 'MasterKeyError',
  });
});
