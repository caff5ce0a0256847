import assert from 'node:assert/strict';
import test from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from './secret-value.ts';

const PLANTED = 'secret_test_PLANTED';

test('a secret is revealed on demand', () => {
  assert.equal(new Secret(PLANTED).reveal(), PLANTED);
});

test('no way of printing a secret shows it', () => {
  const secret = new Secret(PLANTED);
  const error = new Error('refused', { cause: { secret } });
  const printed = [
    `${secret}`,
    // biome-ignore lint/style/useTemplate: the plus sign is what is tested.
    secret + '',
    String(secret),
    secret.toString(),
    [secret].join(),
    JSON.stringify(secret),
    JSON.stringify({ deep: [{ secret }] }),
    inspect(secret),
    inspect({ deep: { deeper: [secret] } }, { showHidden: true, depth: 9, customInspect: true }),
    format('%s %o %O %j', secret, secret, secret, secret),
    inspect(error),
  ];
  for (const text of printed) {
    assert.ok(text.includes('[redacted]'), text);
    assert.ok(!text.includes('PLANTED'), text);
  }
});

test('nothing copies a secret out of its object', () => {
  const secret = new Secret(PLANTED);
  assert.deepEqual(Reflect.ownKeys(secret), []);
  assert.deepEqual({ ...secret }, {});
  const unconventional = inspect(secret, { showHidden: true, customInspect: false });
  assert.ok(!unconventional.includes('PLANTED'), unconventional);
  assert.ok(!inspect(structuredClone(secret)).includes('PLANTED'));
});
