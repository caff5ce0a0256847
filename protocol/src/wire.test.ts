import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { allowedCharacters, errorBody, wireOf } from './wire.ts';

const INDISTINGUISHABLE = [
  'unknown-client',
  'wrong-secret',
  'expired-secret',
  'revoked-secret',
  'suspended-client',
  'suspended-program',
  'deleted-client',
  'address-not-allowed',
] as const;

const OTHER_ENVIRONMENT = refuse('other-environment', {
  presented: 'production',
  here: 'sandbox',
  tokenEndpoint: 'https://auth.bank.example/production/token',
});

const UNAUTHENTICATED: readonly Refusal[] = [
  ...INDISTINGUISHABLE.map((reason) => refuse(reason)),
  refuse('missing-client-secret'),
  refuse('missing-credentials'),
  refuse('basic-not-offered'),
  refuse('malformed-basic'),
  OTHER_ENVIRONMENT,
];

const OUTAGES: readonly Refusal[] = [
  refuse('overloaded'),
  refuse('store-unavailable'),
  refuse('lease-lost'),
  refuse('signer-keys-unavailable'),
];

/** Status and code of every other reason. */
const TABLE: readonly (readonly [Refusal, number, string])[] = [
  [refuse('two-authentications'), 400, 'invalid_request'],
  [refuse('malformed-token'), 400, 'invalid_request'],
  [refuse('credentials-in-query'), 400, 'invalid_request'],
  [refuse('token-in-query'), 400, 'invalid_request'],
  [refuse('token-of-another-client'), 400, 'unauthorized_client'],
  [refuse('unsupported-grant'), 400, 'unsupported_grant_type'],
  [refuse('scope-malformed'), 400, 'invalid_scope'],
  [refuse('scope-not-allowed'), 400, 'invalid_scope'],
  [refuse('scope-too-many-combinations'), 400, 'invalid_scope'],
  [refuse('resource-malformed'), 400, 'invalid_target'],
  [refuse('resource-unknown'), 400, 'invalid_target'],
  [refuse('resource-repeated'), 400, 'invalid_target'],
  [refuse('resource-ambiguous'), 400, 'invalid_target'],
  [refuse('missing-parameter', { parameter: 'grant_type' }), 400, 'invalid_request'],
  [refuse('repeated-parameter', { parameter: 'scope' }), 400, 'invalid_request'],
  [refuse('repeated-parameter', { parameter: undefined }), 400, 'invalid_request'],
  [refuse('parameter-in-query-and-body', { parameter: 'scope' }), 400, 'invalid_request'],
  [refuse('malformed-form'), 400, 'invalid_request'],
  [refuse('too-many-parameters'), 400, 'invalid_request'],
  [refuse('unsupported-media-type'), 415, 'invalid_request'],
  [refuse('unsupported-charset'), 415, 'invalid_request'],
  [refuse('unsupported-encoding'), 415, 'invalid_request'],
  [refuse('method-not-allowed', { allow: 'POST' }), 405, 'invalid_request'],
  [refuse('not-found'), 404, 'invalid_request'],
  [refuse('too-large'), 413, 'invalid_request'],
  [refuse('timeout'), 408, 'invalid_request'],
  [refuse('plain-http'), 400, 'invalid_request'],
  [refuse('malformed-message'), 400, 'invalid_request'],
  [refuse('headers-too-large'), 431, 'invalid_request'],
  [refuse('untrusted-peer'), 403, 'invalid_request'],
  [refuse('malformed-forwarding'), 400, 'invalid_request'],
  [refuse('throttled'), 429, 'temporarily_unavailable'],
  [refuse('report-malformed'), 400, 'invalid_request'],
  [refuse('signature-invalid'), 403, 'invalid_request'],
  [refuse('too-many-reports'), 429, 'temporarily_unavailable'],
  [refuse('internal-error'), 500, 'server_error'],
];

const EVERY: readonly Refusal[] = [
  ...UNAUTHENTICATED,
  ...OUTAGES,
  ...TABLE.map(([refusal]) => refusal),
];

test('T-19, T-60, T-61: nothing tells unknown, wrong, expired, suspended and the like apart', () => {
  const [first, ...others] = INDISTINGUISHABLE.map((reason) => wireOf(refuse(reason)));
  assert.ok(first !== undefined);
  assert.equal(first.status, 401);
  assert.equal(first.error, 'invalid_client');
  for (const other of others) {
    assert.deepEqual(other, first);
    assert.equal(errorBody(other), errorBody(first));
  }
});

test('T-44: every 401 is invalid_client and carries a challenge that repeats code and words', () => {
  for (const refusal of UNAUTHENTICATED) {
    const { status, error, description, headers } = wireOf(refusal);
    assert.equal(status, 401, refusal.reason);
    assert.equal(error, 'invalid_client', refusal.reason);
    assert.equal(
      headers['WWW-Authenticate'],
      `Basic realm="countersign", error="invalid_client", error_description="${description}"`,
    );
  }
});

test('each reason has its status and code', () => {
  for (const [refusal, status, error] of TABLE) {
    const answer = wireOf(refusal);
    assert.deepEqual([answer.status, answer.error], [status, error], refusal.reason);
  }
});

test('an outage is never a fault of the caller, and says when to come back', () => {
  for (const refusal of OUTAGES) {
    const { status, error, headers } = wireOf(refusal);
    assert.deepEqual([status, error], [503, 'temporarily_unavailable'], refusal.reason);
    assert.equal(headers['Retry-After'], '1');
  }
});

test('T-64: Retry-After is a whole number of seconds, at least one, whatever was computed', () => {
  for (const [given, told] of [
    [0.2, '1'],
    [2.1, '3'],
    [-5, '1'],
    [Number.NaN, '1'],
    [Number.POSITIVE_INFINITY, '86400'],
  ] as const) {
    const { headers } = wireOf(refuse('throttled', { retryAfterSeconds: given }));
    assert.equal(headers['Retry-After'], told);
  }
});

test('T-37: 405 says which methods would do', () => {
  const { headers } = wireOf(refuse('method-not-allowed', { allow: 'GET, HEAD' }));
  assert.deepEqual(headers, { Allow: 'GET, HEAD' });
});

test('T-21: credentials of another environment learn both names and the right URL', () => {
  const { description } = wireOf(OTHER_ENVIRONMENT);
  for (const told of ['production', 'sandbox', 'https://auth.bank.example/production/token']) {
    assert.ok(description.includes(told), told);
  }
});

test('T-17: a missing secret is told its name and where it belongs', () => {
  assert.match(wireOf(refuse('missing-client-secret')).description, /client_secret .*body/);
});

test('T-29: who put a secret or a token into a URL is told that it is exposed', () => {
  for (const reason of ['credentials-in-query', 'token-in-query'] as const) {
    assert.match(wireOf(refuse(reason)).description, /exposed/);
  }
});

test('T-41: every error body is JSON of two members in the allowed characters', () => {
  for (const refusal of EVERY) {
    const answer = wireOf(refusal);
    const body: unknown = JSON.parse(errorBody(answer));
    const { error, description } = answer;
    assert.deepEqual(body, { error, error_description: description }, refusal.reason);
    assert.match(error, /^[a-z_]+$/);
    assert.match(description, /^[\x20\x21\x23-\x5b\x5d-\x7e]+\.$/, refusal.reason);
  }
});

test('every header value is one line of printable ASCII', () => {
  for (const refusal of EVERY) {
    for (const value of Object.values(wireOf(refusal).headers))
      assert.match(value, /^[\x20-\x7e]+$/);
  }
});

test('T-41: whatever the names of environments hold, body and challenge stay well-formed', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, text, (presented, here, tokenEndpoint) => {
      const answer = wireOf(refuse('other-environment', { presented, here, tokenEndpoint }));
      JSON.parse(errorBody(answer));
      assert.match(
        answer.headers['WWW-Authenticate'] ?? '',
        /^Basic realm="countersign", error="invalid_client", error_description="[\x20\x21\x23-\x5b\x5d-\x7e]+"$/,
      );
    }),
  );
});

test('the filter of characters keeps what RFC 6749 allows and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const kept = allowedCharacters(text);
      assert.match(kept, /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/);
      assert.equal(allowedCharacters(kept), kept);
    }),
  );
});

test('a refusal is told from every other value', () => {
  for (const refusal of EVERY) assert.ok(isRefusal(refusal));
  for (const other of [undefined, null, 'reason', 0, {}, { scheme: 'none' }]) {
    assert.ok(!isRefusal(other));
  }
});
