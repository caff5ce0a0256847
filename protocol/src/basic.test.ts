import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formWithBasic } from './authorization.ts';
import { basicCredentials } from './basic.ts';
import { type Form, parseForm } from './form.ts';
import { isRefusal } from './refusal.ts';
import { parseTokenRequest } from './token-request.ts';

const ID = 'client_test_0123456789abcdef';
const SECRET = 'secret_test_0000000000000000000000000000000000000000000000000';
const GRANT = 'grant_type=client_credentials';

const basic = (pair: string): string => `Basic ${Buffer.from(pair, 'latin1').toString('base64')}`;

function form(text: string): Form {
  const parsed = parseForm(new TextEncoder().encode(text));
  assert.ok(!isRefusal(parsed));
  return parsed;
}

test('T-32: credentials of Basic are read, form-encoded before or not, the scheme in any case', () => {
  const expected = { clientId: ID, clientSecret: SECRET };
  assert.deepEqual(basicCredentials(basic(`${ID}:${SECRET}`)), expected);
  assert.deepEqual(basicCredentials(basic(`${ID}:${SECRET}`).replace('Basic', 'bASIC')), expected);
  const escaped = (text: string): string => text.replaceAll('_', '%5F').replaceAll('0', '%30');
  assert.deepEqual(basicCredentials(basic(`${escaped(ID)}:${escaped(SECRET)}`)), expected);
  const odd = { clientId: 'a:b c', clientSecret: 'd:e+f' };
  assert.deepEqual(basicCredentials(basic('a%3Ab+c:d:e%2Bf')), odd, 'RFC 6749 appendix B');
});

test('T-36: a header that holds no id and no secret is none, whatever it is', () => {
  for (const line of [
    'Basic',
    'Basic ',
    'Basic ???',
    'Basic a',
    'Basic YTpi YTpi',
    'Basic  YTpi',
    'Basic\tYTpi',
    'Basic YTpi,',
    'BasicYTpi',
    'Bearer YTpi',
    basic('x'),
    basic('x:'),
    basic(':x'),
    basic(':'),
    basic(''),
    basic('a b:c'),
    basic('a:b\u0000'),
    basic('a:%00'),
    basic('a:%zz'),
    basic('a:%ff'),
    basic('a:b\r\nc'),
    basic('gehe\u00efm:x'),
    basic(`a:${'b'.repeat(1024)}`),
  ]) {
    assert.equal(basicCredentials(line), undefined, line);
    assert.ok(isRefusal(formWithBasic([line], form(GRANT))), line);
  }
});

test('T-36: whatever stands in a header, it is read as the pair that was put into it, or not at all', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
  const encoded = (one: string): string => encodeURIComponent(one.toWellFormed());
  fc.assert(
    fc.property(text, text, (id, secret) => {
      const read = basicCredentials(basic(`${encoded(id)}:${encoded(secret)}`));
      const pair = { clientId: id.toWellFormed(), clientSecret: secret.toWellFormed() };
      assert.deepEqual(read, `${id}${secret}`.includes('\0') ? undefined : pair);
    }),
  );
  fc.assert(
    fc.property(text, (rest) => {
      basicCredentials(`Basic ${rest}`);
    }),
  );
});

test('T-32: where Basic is taken, a token request reads the same from the header as from the form', () => {
  const line = basic(`${ID}:${SECRET}`);
  const inBody = form(`${GRANT}&client_id=${ID}&client_secret=${SECRET}&scope=a`);
  for (const more of ['', `&client_id=${ID}`, '&client_secret=', '&client_id=']) {
    const authenticated = formWithBasic([line], form(`${GRANT}&scope=a${more}`));
    assert.ok(!isRefusal(authenticated), more);
    assert.deepEqual(parseTokenRequest(authenticated), parseTokenRequest(inBody));
  }
  assert.equal(formWithBasic([], inBody), inBody, 'the form alone is taken as ever');
});

test('T-33, T-34: nothing is chosen from, when there is a choice', () => {
  const line = basic(`${ID}:${SECRET}`);
  const refused = { reason: 'two-authentications' };
  for (const body of [
    `client_id=${ID}&client_secret=${SECRET}`,
    `client_secret=${SECRET}`,
    'client_assertion=x',
    `client_id=${ID}x`,
    `client_id=${ID.toUpperCase()}`,
  ]) {
    assert.deepEqual(formWithBasic([line], form(body)), refused, body);
  }
  for (const lines of [
    [line, line],
    [line, 'Bearer a'],
    ['', line],
  ]) {
    assert.deepEqual(formWithBasic(lines, form(GRANT)), refused);
  }
  assert.deepEqual(formWithBasic(['Bearer a'], form(GRANT)), { reason: 'missing-credentials' });
});
