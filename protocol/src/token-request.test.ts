import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Form, parseForm } from './form.ts';
import { isRefusal } from './refusal.ts';
import { parseTokenQueryForm, parseTokenRequest } from './token-request.ts';

const GRANT = 'grant_type=client_credentials';
const CREDENTIALS = 'client_id=a&client_secret=b';

function form(text: string): Form {
  const parsed = parseForm(new TextEncoder().encode(text));
  assert.ok(!isRefusal(parsed));
  return parsed;
}

const tokenRequest = (text: string) => parseTokenRequest(form(text));
const tokenQuery = (text: string) => parseTokenQueryForm(form(text));

test('a token request is read into what it asks for', () => {
  assert.deepEqual(tokenRequest(`${CREDENTIALS}&${GRANT}`), {
    clientId: 'a',
    clientSecret: 'b',
    scope: undefined,
    resources: [],
  });
  const full = `${GRANT}&${CREDENTIALS}&scope=y+x&resource=urn%3Aa&resource=urn%3Ab&foo=bar`;
  assert.deepEqual(tokenRequest(full), {
    clientId: 'a',
    clientSecret: 'b',
    scope: ['y', 'x'],
    resources: ['urn:a', 'urn:b'],
  });
});

test('T-11, T-12, T-52: a missing or empty grant_type is named', () => {
  for (const text of ['', CREDENTIALS, `${CREDENTIALS}&grant_type=`]) {
    const refused = { reason: 'missing-parameter', parameter: 'grant_type' };
    assert.deepEqual(tokenRequest(text), refused);
  }
});

test('T-13, T-14: any grant but client_credentials, to the letter, is unsupported', () => {
  for (const grant of [
    'password',
    'authorization_code',
    'refresh_token',
    'Client_Credentials',
    'client_credentials+',
    'urn:x',
  ]) {
    const refused = { reason: 'unsupported-grant' };
    assert.deepEqual(tokenRequest(`${CREDENTIALS}&grant_type=${grant}`), refused, grant);
  }
});

test('T-16: a missing client_id is named', () => {
  for (const text of [`${GRANT}&client_secret=b`, `${GRANT}&client_secret=b&client_id=`, GRANT]) {
    const refused = { reason: 'missing-parameter', parameter: 'client_id' };
    assert.deepEqual(tokenRequest(text), refused);
  }
});

test('T-17, T-18: a missing or empty client_secret never passes as a credential', () => {
  for (const text of [`${GRANT}&client_id=a`, `${GRANT}&client_id=a&client_secret=`]) {
    assert.deepEqual(tokenRequest(text), { reason: 'missing-client-secret' });
  }
  for (const text of ['token=t&client_id=a', 'token=t&client_id=a&client_secret=']) {
    assert.deepEqual(tokenQuery(text), { reason: 'missing-client-secret' });
  }
});

test('T-08, T-28: a malformed scope is refused and an empty one is none', () => {
  for (const scope of ['+', 'a++b', 'a+', '%22', '%C3%A4', 'a%09b']) {
    const refused = { reason: 'scope-malformed' };
    assert.deepEqual(tokenRequest(`${CREDENTIALS}&${GRANT}&scope=${scope}`), refused, scope);
  }
  const parsed = tokenRequest(`${CREDENTIALS}&${GRANT}&scope=&resource=`);
  assert.ok(!isRefusal(parsed));
  assert.equal(parsed.scope, undefined);
  assert.deepEqual(parsed.resources, []);
});

test('A-02: one malformed resource refuses the request', () => {
  const text = `${CREDENTIALS}&${GRANT}&resource=urn:a&resource=accounts`;
  assert.deepEqual(tokenRequest(text), { reason: 'resource-malformed' });
});

test('a token query is read, with its hint', () => {
  const text = `${CREDENTIALS}&token=t&token_type_hint=refresh_token&client_ip=192.0.2.7&x=y`;
  assert.deepEqual(tokenQuery(text), {
    clientId: 'a',
    clientSecret: 'b',
    token: 't',
    hint: 'refresh_token',
    clientIp: '192.0.2.7',
  });
});

test('I-05: a caller without credentials is told to authenticate, whatever else is missing', () => {
  for (const text of ['', 'token=t', 'token=t&client_id=&client_secret=']) {
    assert.deepEqual(tokenQuery(text), { reason: 'missing-credentials' });
  }
  const refused = { reason: 'missing-parameter', parameter: 'client_id' };
  assert.deepEqual(tokenQuery('token=t&client_secret=b'), refused);
});

test('I-08, R-05: a missing or empty token is named', () => {
  for (const text of [CREDENTIALS, `${CREDENTIALS}&token=`]) {
    assert.deepEqual(tokenQuery(text), { reason: 'missing-parameter', parameter: 'token' });
  }
});
