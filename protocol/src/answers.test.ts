import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expiresAtSeconds, INACTIVE, introspectionAnswer, tokenAnswer } from './answers.ts';
import { canonicalScope } from './scope.ts';

const scope = fc
  .array(fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,10}$/), { maxLength: 6 })
  .map(canonicalScope);
const identifier = fc.stringMatching(/^[A-Za-z0-9_-]{1,120}$/);
const seconds = fc.integer({ min: 1, max: 86_400 });

test('T-01, T-02, T-03: a granted token is one flat object, and never brings a refresh token', () => {
  fc.assert(
    fc.property(identifier, seconds, scope, (accessToken, expiresInSeconds, text) => {
      const answer: unknown = JSON.parse(
        tokenAnswer({ accessToken, expiresInSeconds, scope: text }),
      );
      const { scope: told, ...rest } = answer as { scope?: string };
      assert.deepEqual(rest, {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: expiresInSeconds,
      });
      assert.equal(told, text === '' ? undefined : text);
    }),
  );
});

test('I-01, I-24: an active token is told with the documented members and no other', () => {
  const answer = introspectionAnswer({
    issuer: 'https://auth.bank.example/sandbox',
    clientId: 'client_test_A',
    programId: 'program_B',
    scope: 'accounts:read profiles:read',
    audience: 'https://api.bank.example',
    issuedAtMs: 1_700_000_000_999,
    lifetimeSeconds: 3600,
    jti: 'abcDEF-_',
  });
  assert.deepEqual(JSON.parse(answer), {
    active: true,
    iss: 'https://auth.bank.example/sandbox',
    sub: 'client_test_A',
    client_id: 'client_test_A',
    program_id: 'program_B',
    scope: 'accounts:read profiles:read',
    aud: 'https://api.bank.example',
    token_type: 'Bearer',
    iat: 1_700_000_000,
    exp: 1_700_003_600,
    jti: 'abcDEF-_',
  });
});

test('an introspection answer is JSON for every scope, and leaves out what there is none of', () => {
  fc.assert(
    fc.property(identifier, scope, fc.string({ unit: 'binary' }), (id, text, issuer) => {
      const token = { clientId: id, programId: id, jti: id, scope: text, issuer };
      const times = { issuedAtMs: 5_000, lifetimeSeconds: 1 };
      const answer = JSON.parse(introspectionAnswer({ ...token, ...times, audience: undefined }));
      assert.equal(answer.iss, issuer);
      assert.equal(answer.scope, text === '' ? undefined : text);
      assert.ok(!('aud' in answer));
    }),
  );
});

test('I-18: a token ends on a whole second, never later than its lifetime after its issue', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 47 }), seconds, (issuedAtMs, lifetimeSeconds) => {
      const endMs = expiresAtSeconds({ issuedAtMs, lifetimeSeconds }) * 1000;
      assert.ok(endMs <= issuedAtMs + lifetimeSeconds * 1000);
      assert.ok(endMs > issuedAtMs + (lifetimeSeconds - 1) * 1000);
    }),
  );
});

test('I-02: of an inactive token nothing else is told', () => {
  assert.deepEqual(JSON.parse(INACTIVE), { active: false });
});
