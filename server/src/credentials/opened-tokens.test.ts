import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { newTokenKey, openToken, sealToken, type TokenKey } from './access-token.ts';
import { newOpening } from './opened-tokens.ts';

const newKey = (environment = 'sandbox', tag = 'test'): TokenKey =>
  newTokenKey(
    { environment, tag, version: 1 },
    { tagKey: randomBytes(32), maskKey: randomBytes(32) },
  );
const claims = {
  ...{ client: 7, generation: 3, secret: 9, scopeSet: 2, resource: 0 },
  ...{ issuedAtMs: 1_700_000_000_000, lifetimeSeconds: 3600 },
};
const holding = (key: TokenKey | undefined, environment = 'sandbox', tag = 'test') => ({
  ...{ tag, environment },
  key: () => key,
});
const newToken = (key: TokenKey): string => sealToken(key, randomBytes(12), claims);

test('a token opens the same from memory as the first time', () => {
  const key = newKey();
  const open = newOpening();
  for (const token of [newToken(key), newToken(key)]) {
    const fresh = openToken(token, holding(key));
    assert.ok(fresh.ok);
    for (let times = 0; times < 3; times += 1) {
      assert.deepEqual(open(token, holding(key)), fresh);
    }
  }
});

test('what is remembered opens under its very key alone: not once that is retired, and under no other of its number', () => {
  const key = newKey();
  const open = newOpening();
  const token = newToken(key);
  assert.ok(open(token, holding(key)).ok);
  assert.deepEqual(open(token, holding(undefined)), {
    ok: false,
    why: 'unknown-key',
    keyVersion: 1,
  });
  assert.deepEqual(open(token, holding(newKey())), { ok: false, why: 'forged' });
  const elsewhere = newKey('production', 'live');
  assert.equal(open(token, holding(elsewhere, 'production', 'live')).ok, false);
  assert.ok(open(token, holding(key)).ok, 'the control: it still opens where it did');
});

test('a token that differs in any character from a remembered one is judged by itself', () => {
  const key = newKey();
  const open = newOpening();
  const token = newToken(key);
  assert.ok(open(token, holding(key)).ok);
  for (let at = 0; at < token.length; at += 1) {
    const other = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    assert.equal(open(other, holding(key)).ok, false, `character ${at}`);
  }
});

test('it forgets, and what it forgot opens again', () => {
  const key = newKey();
  let asked = 0;
  const open = newOpening();
  const first = newToken(key);
  const counting = {
    ...holding(key),
    key: () => {
      asked += 1;
      return key;
    },
  };
  assert.ok(open(first, counting).ok);
  asked = 0;
  assert.ok(open(first, counting).ok);
  const fromMemory = asked;
  for (let n = 0; n < 10_001; n += 1) open(newToken(key), holding(key));
  asked = 0;
  assert.ok(open(first, counting).ok);
  assert.ok(asked > fromMemory, 'it was opened anew');
});
