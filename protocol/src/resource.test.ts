import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseResource, NO_RESOURCE, RESOURCE_LENGTH_MAX, validResource } from './resource.ts';

const ACCOUNTS = { number: 3, uri: 'https://api.bank.example/accounts' };
const PAYMENTS = { number: 7, uri: 'https://api.bank.example/payments' };

test('A-01: an absolute URI can name a resource', () => {
  for (const uri of [
    'https://api.bank.example',
    'https://api.bank.example/',
    'https://api.bank.example:8443/v1?tenant=a',
    'http://127.0.0.1:8082',
    'https://[::1]/x',
    'urn:bank:accounts',
    'https://a.example/%7Euser',
  ]) {
    assert.ok(validResource(uri), uri);
  }
});

test('A-02: relative, fragmented and malformed URIs cannot', () => {
  for (const uri of [
    '',
    'accounts',
    '/accounts',
    '//api.bank.example/',
    'https://api.bank.example/#x',
    'https://api.bank.example/#',
    'https:',
    'https://',
    'https:///x',
    'https:api',
    'https://:443/',
    'https://a b/',
    'https://a.example/%zz',
    'https://a.example/"',
    'https://a.example/\\',
    'https://a.example/\n',
    'https://ä.example/',
    'https://a.example:99999/',
    '1a:b',
    ':b',
  ]) {
    assert.ok(!validResource(uri), uri);
  }
});

test('a URI at the bound can name a resource, and not beyond', () => {
  const base = 'urn:x:';
  assert.ok(validResource(base + 'a'.repeat(RESOURCE_LENGTH_MAX - base.length)));
  assert.ok(!validResource(base + 'a'.repeat(RESOURCE_LENGTH_MAX - base.length + 1)));
});

test('A-03, A-07: a resource is found by its exact spelling only', () => {
  const allowed = [ACCOUNTS, PAYMENTS];
  assert.equal(chooseResource([PAYMENTS.uri], allowed), 7);
  for (const uri of [
    'https://API.bank.example/payments',
    `${PAYMENTS.uri}/`,
    'https://api.bank.example:443/payments',
    'https://other.example/',
    '',
  ]) {
    assert.deepEqual(chooseResource([uri], allowed), { reason: 'resource-unknown' }, uri);
  }
  assert.deepEqual(chooseResource([ACCOUNTS.uri], []), { reason: 'resource-unknown' });
});

test('A-04: more than one resource at a time is refused', () => {
  for (const requested of [
    [ACCOUNTS.uri, PAYMENTS.uri],
    [ACCOUNTS.uri, ACCOUNTS.uri],
  ]) {
    const refused = { reason: 'resource-repeated' };
    assert.deepEqual(chooseResource(requested, [ACCOUNTS, PAYMENTS]), refused);
  }
});

test('A-05: without a resource named, the only one is taken, and several must be chosen from', () => {
  assert.equal(chooseResource([], []), NO_RESOURCE);
  assert.equal(chooseResource([], [ACCOUNTS]), 3);
  assert.deepEqual(chooseResource([], [ACCOUNTS, PAYMENTS]), { reason: 'resource-ambiguous' });
});

test('whatever the text, judging it never throws, and what has a fragment never passes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl()), (text) => {
      validResource(text);
      assert.ok(!validResource(`${text}#`));
    }),
  );
});
