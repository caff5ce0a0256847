import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BearerReason, bearerRefusal, bearerToken } from './bearer.ts';

const REASONS: readonly BearerReason[] = [
  'no-token',
  'malformed-token',
  'two-authentications',
  'token-in-query',
  'token-in-form',
  'unknown-token',
  'revoked-token',
  'token-of-another-environment',
  'token-of-another-resource',
  'expired-token',
  'inactive-token',
  'insufficient-scope',
  'throttled',
  'authority-unavailable',
];

const challengeOf = (reason: BearerReason, realm = 'api') =>
  bearerRefusal(realm, reason, { scope: 'a b' }).headers['WWW-Authenticate'];

test('B-01: the token of one header line is the token of the request', () => {
  assert.deepEqual(bearerToken({ authorization: ['Bearer a'], query: 'page=2' }), { token: 'a' });
});

test('B-03, B-04: a request without a bearer token is told the scheme and no error', () => {
  for (const authorization of [[], ['Basic YTpi'], ['Digest x']]) {
    assert.deepEqual(bearerToken({ authorization, query: '' }), { reason: 'no-token' });
  }
  const answer = bearerRefusal('api', 'no-token');
  assert.equal(answer.status, 401);
  assert.equal(answer.error, undefined);
  assert.equal(answer.headers['WWW-Authenticate'], 'Bearer realm="api"');
});

test('B-05, B-06: malformed, unknown, revoked and misdirected tokens get one and the same answer', () => {
  const unknown = bearerRefusal('api', 'unknown-token');
  assert.equal(unknown.status, 401);
  assert.equal(unknown.error, 'invalid_token');
  for (const reason of [
    'malformed-token',
    'revoked-token',
    'token-of-another-environment',
    'token-of-another-resource',
  ] as const) {
    assert.deepEqual(bearerRefusal('api', reason), unknown);
  }
});

test('an expired token is told that it expired', () => {
  const answer = bearerRefusal('api', 'expired-token');
  assert.equal(answer.status, 401);
  assert.match(answer.headers['WWW-Authenticate'] ?? '', /error="invalid_token".*expired/);
});

test('whoever knows only that a token is not active says where to authenticate again', () => {
  const tokenEndpoint = 'https://auth.bank.example/production/token';
  const { status, error, description } = bearerRefusal('api', 'inactive-token', { tokenEndpoint });
  assert.deepEqual([status, error], [401, 'invalid_token']);
  assert.match(
    description,
    /expired, was revoked or is not valid here; authenticate again at https:\/\/\S+\/token$/,
  );
  assert.doesNotMatch(
    bearerRefusal('api', 'revoked-token', { tokenEndpoint }).description,
    /https/,
  );
});

test('B-07: a missing scope is 403 and names what is needed', () => {
  const answer = bearerRefusal('api', 'insufficient-scope', { scope: 'accounts:read' });
  assert.equal(answer.status, 403);
  assert.match(
    answer.headers['WWW-Authenticate'] ?? '',
    /^Bearer realm="api", error="insufficient_scope", error_description="[^"]+", scope="accounts:read"$/,
  );
});

test('B-09, B-11: a token in the URL refuses the request, with or without a header', () => {
  for (const authorization of [[], ['Bearer a']]) {
    const read = bearerToken({ authorization, query: 'access_token=t' });
    assert.deepEqual(read, { reason: 'token-in-query' });
  }
  assert.equal(bearerRefusal('api', 'token-in-query').status, 400);
  assert.equal(bearerRefusal('api', 'token-in-query').error, 'invalid_request');
});

test('B-12: two header lines are a bad request', () => {
  const read = bearerToken({ authorization: ['Bearer a', 'Bearer b'], query: '' });
  assert.deepEqual(read, { reason: 'two-authentications' });
  assert.equal(bearerRefusal('api', 'two-authentications').status, 400);
});

test('an outage is never the fault of the token', () => {
  const answer = bearerRefusal('api', 'authority-unavailable', { retryAfterSeconds: 2.5 });
  assert.equal(answer.status, 503);
  assert.deepEqual(answer.headers, { 'Retry-After': '3' });
  assert.deepEqual(bearerRefusal('api', 'throttled').headers, { 'Retry-After': '1' });
});

test('B-14: a challenge names each attribute at most once', () => {
  for (const reason of REASONS) {
    const names = [...(challengeOf(reason) ?? '').matchAll(/([a-z_]+)="/g)].map(([, name]) => name);
    assert.equal(new Set(names).size, names.length, reason);
  }
});

test('B-15: whatever realm and scope are made of, the challenge stays one well-formed line', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, fc.constantFrom(...REASONS), (realm, scope, reason) => {
      const detail = { scope, tokenEndpoint: scope };
      const challenge = bearerRefusal(realm, reason, detail).headers['WWW-Authenticate'];
      if (challenge === undefined) return;
      assert.match(challenge, /^Bearer( [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*",?)+$/);
    }),
  );
});
