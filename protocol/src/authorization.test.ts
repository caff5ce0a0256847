import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorizationOf, refuseAuthorization } from './authorization.ts';
import { type Form, parseForm } from './form.ts';
import { isRefusal } from './refusal.ts';

function form(text: string): Form {
  const parsed = parseForm(new TextEncoder().encode(text));
  assert.ok(!isRefusal(parsed));
  return parsed;
}

test('B-01, B-02: a bearer token is read, the scheme in any case', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    const expected = { scheme: 'bearer', token: 'aZ09-._~+/==' };
    assert.deepEqual(authorizationOf([`${scheme} aZ09-._~+/==`]), expected);
  }
});

test('B-03, B-04: no header and other schemes are told apart from bearer', () => {
  assert.deepEqual(authorizationOf([]), { scheme: 'none' });
  assert.deepEqual(authorizationOf(['']), { scheme: 'none' });
  for (const line of ['Basic YTpi', 'basic', 'BASIC !!']) {
    assert.deepEqual(authorizationOf([line]), { scheme: 'basic' });
  }
  for (const line of ['Digest a=b', 'Negotiate x', 'Bearertoken', ' Bearer t', 'token_test_x']) {
    assert.deepEqual(authorizationOf([line]), { scheme: 'other' });
  }
});

test('B-05, B-13, B-18: a token that is not exactly one b64token is never read as one', () => {
  for (const rest of [
    '',
    ' ',
    ' a b',
    '  a',
    ' a ',
    ' a,b',
    ' a, Bearer b',
    ' =',
    ' a=b',
    ' a%',
    ' a*',
    ' "a"',
    ' a\t',
    ' \u00e4',
    ` ${'a'.repeat(5000)}`,
  ]) {
    assert.deepEqual(authorizationOf([`Bearer${rest}`]), { reason: 'malformed-token' }, rest);
  }
  for (const line of ['Bearer,a', 'Bearer\ta', 'Bearer=a', 'Bearer:a']) {
    assert.deepEqual(authorizationOf([line]), { scheme: 'other' }, line);
  }
});

test('B-12: two Authorization lines are refused, even when they are the same', () => {
  for (const lines of [
    ['Bearer a', 'Bearer a'],
    ['Bearer a', 'Basic b'],
    ['', 'Bearer a'],
  ]) {
    assert.deepEqual(authorizationOf(lines), { reason: 'two-authentications' });
  }
});

test('whatever the header, only a b64token comes out, whole', () => {
  const line = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(line, (rest) => {
      const read = authorizationOf([`Bearer ${rest}`]);
      if (isRefusal(read)) return;
      assert.ok(read.scheme === 'bearer');
      assert.equal(read.token, rest);
      assert.match(rest, /^[A-Za-z0-9\-._~+/]+=*$/);
    }),
  );
});

test('T-32, T-34, T-36: Basic alone, well-formed or not, is told to use the body', () => {
  for (const body of ['grant_type=client_credentials', 'client_id=b', 'client_secret=', '']) {
    for (const line of ['Basic YTpi', 'Basic', 'Basic !!!', 'basic YTo=']) {
      const refused = { reason: 'basic-not-offered' };
      assert.deepEqual(refuseAuthorization([line], form(body)), refused, `${line} ${body}`);
    }
  }
});

test('T-33, T-35: an Authorization header beside a secret in the body is refused', () => {
  const lines = ['Basic YTpi', 'Basic', 'Bearer a', 'Bearer', 'Digest a'];
  for (const line of lines) {
    for (const body of ['client_id=a&client_secret=b', 'client_assertion=b']) {
      const refused = { reason: 'two-authentications' };
      assert.deepEqual(refuseAuthorization([line], form(body)), refused, line);
    }
  }
  assert.deepEqual(refuseAuthorization(['Basic a', 'Basic a'], form('')), {
    reason: 'two-authentications',
  });
});

test('I-14: a bearer token is no way to authenticate a client', () => {
  for (const line of ['Bearer a', 'Bearer', 'Negotiate x']) {
    const refused = { reason: 'missing-credentials' };
    assert.deepEqual(refuseAuthorization([line], form('token=t')), refused);
  }
});

test('without an Authorization header there is nothing to refuse', () => {
  assert.equal(refuseAuthorization([], form('client_id=a&client_secret=b')), undefined);
  assert.equal(refuseAuthorization([''], form('client_id=a&client_secret=b')), undefined);
});
