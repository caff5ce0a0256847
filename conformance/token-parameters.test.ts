import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FORM, post, type Sending, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { declareScopes, grantOf, newClient, newProgram } from './onboarding.ts';

const authority = await startAuthority();
after(() => authority.stop());
await declareScopes(authority, ['accounts:read', 'accounts:write']);
const program = await newProgram(authority);
const client = await newClient(authority, program, { scope: 'accounts:read accounts:write' });

const valid = new URLSearchParams(grantOf(client)).toString();
const id = `client_id=${client.client_id}`;
const secret = `client_secret=${client.client_secret}`;
const grant = 'grant_type=client_credentials';

/** What happens to a form as it stands on the wire: a status, an error and what the words must name. */
type Case = readonly [name: string, body: string, status: number, error?: string, says?: RegExp];

const cases: readonly Case[] = [
  ['T-11: grant_type missing', `${id}&${secret}`, 400, 'invalid_request', /grant_type/],
  ['T-12: grant_type empty', `${id}&${secret}&grant_type=`, 400, 'invalid_request', /grant_type/],
  [
    'T-13: the password grant',
    `${id}&${secret}&grant_type=password`,
    400,
    'unsupported_grant_type',
  ],
  [
    'T-13: authorization_code',
    `${id}&${secret}&grant_type=authorization_code`,
    400,
    'unsupported_grant_type',
  ],
  [
    'T-13: refresh_token',
    `${id}&${secret}&grant_type=refresh_token`,
    400,
    'unsupported_grant_type',
  ],
  ['T-13: an unknown URN', `${id}&${secret}&grant_type=urn%3Ax%3Ay`, 400, 'unsupported_grant_type'],
  [
    'T-14: grant_type in another case',
    `${id}&${secret}&grant_type=Client_Credentials`,
    400,
    'unsupported_grant_type',
  ],
  ['T-16: client_id missing', `${secret}&${grant}`, 400, 'invalid_request', /client_id/],
  [
    'T-28: client_id empty is client_id missing',
    `client_id=&${secret}&${grant}`,
    400,
    'invalid_request',
    /client_id/,
  ],
  ['T-17: client_secret missing', `${id}&${grant}`, 401, 'invalid_client', /client_secret/],
  [
    'T-18: client_secret empty',
    `${id}&client_secret=&${grant}`,
    401,
    'invalid_client',
    /client_secret/,
  ],
  ['T-23: client_id twice', `${valid}&${id}`, 400, 'invalid_request', /client_id/],
  ['T-24: client_secret twice', `${valid}&${secret}`, 400, 'invalid_request', /client_secret/],
  [
    'T-24: client_secret twice, different',
    `${valid}&client_secret=x`,
    400,
    'invalid_request',
    /client_secret/,
  ],
  [
    'T-24: client_secret twice, one of them empty',
    `client_secret=&${valid}`,
    400,
    'invalid_request',
    /client_secret/,
  ],
  ['T-24: grant_type twice', `${valid}&${grant}`, 400, 'invalid_request', /grant_type/],
  [
    'T-24: grant_type twice, different',
    `${valid}&grant_type=password`,
    400,
    'invalid_request',
    /grant_type/,
  ],
  [
    'T-24: scope twice',
    `${valid}&scope=accounts:read&scope=accounts:read`,
    400,
    'invalid_request',
    /scope/,
  ],
  [
    'T-24: scope twice, different',
    `${valid}&scope=accounts:read&scope=accounts:write`,
    400,
    'invalid_request',
    /scope/,
  ],
  [
    'T-24: client_assertion twice',
    `${valid}&client_assertion=x&client_assertion=x`,
    400,
    'invalid_request',
    /client_assertion/,
  ],
  [
    'T-24: client_assertion twice, different',
    `${valid}&client_assertion=x&client_assertion=y`,
    400,
    'invalid_request',
  ],
  [
    'T-24: a name twice, once of them percent-encoded',
    `${valid}&client%5Fid=x`,
    400,
    'invalid_request',
    /client_id/,
  ],
  ['T-25: an unknown parameter twice', `${valid}&foo=1&foo=2`, 400, 'invalid_request'],
  ['T-26: an unknown parameter', `${valid}&foo=bar`, 200],
  [
    'T-26: names of built-in properties',
    `${valid}&__proto__=x&constructor=x&toString=x&hasOwnProperty=x`,
    200,
  ],
  ['T-26: an access token beside the credentials', `${valid}&access_token=x`, 200],
  [
    'T-27: brackets make another name, not a list',
    `${valid}&scope[]=nonsense&scope[a]=nonsense`,
    200,
  ],
  [
    'T-27: client_id[] is not client_id',
    `client_id[]=${client.client_id}&${secret}&${grant}`,
    400,
    'invalid_request',
    /client_id/,
  ],
  ['T-48: everything may be percent-encoded', percentEncoded(grantOf(client)), 200],
  ['T-48: + is a space', `${valid}&scope=accounts:read+accounts:write`, 200],
  [
    'T-48: %2B is a plus sign, not a space',
    `${valid}&scope=accounts:read%2Baccounts:write`,
    400,
    'invalid_scope',
  ],
  [
    'T-48: %26 belongs to the value',
    `${valid.replace(secret, `${secret}%26`)}`,
    401,
    'invalid_client',
  ],
  [
    'T-48: %3D belongs to the value',
    `${valid.replace(secret, `${secret}%3D`)}`,
    401,
    'invalid_client',
  ],
  ['T-49: a lone percent sign', `${valid}&foo=%`, 400, 'invalid_request', /malformed/],
  ['T-49: half an escape', `${valid}&foo=%4`, 400, 'invalid_request', /malformed/],
  [
    'T-49: an escape that is not hexadecimal',
    `${valid}&foo=%zz`,
    400,
    'invalid_request',
    /malformed/,
  ],
  ['T-49: overlong UTF-8', `${valid}&foo=%c0%af`, 400, 'invalid_request', /malformed/],
  ['T-49: a lone surrogate', `${valid}&foo=%ed%a0%80`, 400, 'invalid_request', /malformed/],
  ['T-49: UTF-8 cut short, in a name', `${valid}&f%e2%82=1`, 400, 'invalid_request', /malformed/],
  [
    'T-49: half an escape in the secret itself',
    `${id}&${grant}&${secret}%4`,
    400,
    'invalid_request',
    /malformed/,
  ],
  ['T-50: NUL after the secret', `${id}&${grant}&${secret}%00`, 400, 'invalid_request'],
  [
    'T-50: NUL and more after the client_id',
    `${id}%00x&${grant}&${secret}`,
    400,
    'invalid_request',
  ],
  ['T-50: NUL in a name', `${valid}&foo%00=1`, 400, 'invalid_request'],
  [
    'T-51: a semicolon separates nothing',
    valid.replaceAll('&', ';'),
    400,
    'invalid_request',
    /client_id|grant_type/,
  ],
  [
    'T-51: a semicolon belongs to the value',
    `${valid};scope=nonsense`,
    400,
    'unsupported_grant_type',
  ],
  ['T-52: an empty body', '', 400, 'invalid_request', /grant_type/],
  ['T-53: 65 parameters', `${valid}${manyParameters(62)}`, 400, 'invalid_request', /64/],
  ['T-53: 64 parameters', `${valid}${manyParameters(61)}`, 200],
  ['T-53: as many parameters as fit', `${valid}${'&a'.repeat(3_900)}`, 400, 'invalid_request'],
  [
    'T-53: ten thousand parameters',
    `${valid}${manyParameters(10_000)}`,
    413,
    'invalid_request',
    /large/,
  ],
];

function percentEncoded(fields: Readonly<Record<string, string>>): string {
  const all = (text: string): string =>
    [...text].map((each) => `%${each.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
  return Object.entries(fields)
    .map(([name, value]) => `${all(name)}=${all(value)}`)
    .join('&');
}

function manyParameters(count: number): string {
  return Array.from({ length: count }, (_, n) => `&p${n}=1`).join('');
}

for (const [name, body, status, error, says = /./] of cases) {
  const verdict = status === 200 ? 'a token is granted' : `${status} ${error}`;
  test(`${name}: ${verdict}`, async () => {
    const reply = await post(client.token_endpoint, body);
    assert.equal(reply.status, status, reply.body);
    assert.equal(reply.json()['error'], error);
    if (status === 200) return;
    assert.match(String(reply.json()['error_description']), says);
    assert.equal(reply.json()['access_token'], undefined);
  });
}

test('T-48: + between two names of a scope grants both', async () => {
  const { status, json } = await post(
    client.token_endpoint,
    `${valid}&scope=accounts:write+accounts:read`,
  );
  assert.equal(status, 200);
  assert.equal(json()['scope'], 'accounts:read accounts:write');
});

const encoded = new URLSearchParams(grantOf(client));
const urls: readonly Case[] = [
  ['T-29: the credentials in the URL', `?${encoded}`, 400, 'invalid_request', /exposed/],
  ['T-29: the secret alone in the URL', `?${secret}`, 400, 'invalid_request', /exposed/],
  ['T-31: client_id in both places', `?${id}`, 400, 'invalid_request', /client_id/],
  ['T-31: grant_type in both places', `?${grant}`, 400, 'invalid_request', /grant_type/],
  ['T-26: an unknown parameter in the URL', '?foo=bar', 200],
];

for (const [name, query, status, error, says = /./] of urls) {
  test(`${name}: ${status} ${error ?? 'and a token'}, whatever the form says`, async () => {
    const reply = await post(`${client.token_endpoint}${query}`, valid);
    assert.equal(reply.status, status, reply.body);
    assert.equal(reply.json()['error'], error);
    if (status !== 200) assert.match(String(reply.json()['error_description']), says);
  });
}

test('T-29: credentials in the URL alone are refused the same way', async () => {
  const reply = await post(`${client.token_endpoint}?${valid}`, '');
  assert.equal(reply.status, 400);
  assert.match(reply.body, /exposed/);
});

test('T-30: grant_type in the URL does not count', async () => {
  const reply = await post(`${client.token_endpoint}?${grant}`, `${id}&${secret}`);
  assert.equal(reply.status, 400);
  assert.equal(reply.json()['error'], 'invalid_request');
  assert.match(reply.body, /grant_type is missing/);
});

const contentTypes: readonly (readonly [string, string, number])[] = [
  ['T-45: a charset of UTF-8', `${FORM}; charset=UTF-8`, 200],
  ['T-45: a quoted one', `${FORM};charset="utf-8"`, 200],
  ['T-45: odd case and spacing', 'Application/X-WWW-Form-URLEncoded ;  Charset=Utf-8', 200],
  ['T-46: ISO-8859-1', `${FORM}; charset=ISO-8859-1`, 415],
  ['T-46: UTF-7', `${FORM}; charset=utf-7`, 415],
  ['T-46: charset twice', `${FORM}; charset=utf-8; charset=utf-8`, 415],
  ['T-38: JSON', 'application/json', 415],
  ['T-39: multipart', 'multipart/form-data; boundary=x', 415],
  ['T-39: plain text', 'text/plain', 415],
  ['T-39: a type that begins like ours', `${FORM}x`, 415],
  ['T-39: two types in one line', `text/plain, ${FORM}`, 415],
  ['T-39: an empty type', '', 415],
];

for (const [name, contentType, status] of contentTypes) {
  test(`${name} as Content-Type: ${status}`, async () => {
    const reply = await post(client.token_endpoint, valid, {
      headers: { 'Content-Type': contentType },
    });
    assert.equal(reply.status, status, reply.body);
    assert.equal(reply.json()['error'], status === 200 ? undefined : 'invalid_request');
  });
}

test('T-38: a JSON body is not parsed, whatever stands in it', async () => {
  const sending: Sending = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(grantOf(client)),
  };
  assert.equal((await send(client.token_endpoint, sending)).status, 415);
});

test('T-39: no Content-Type at all is refused like a wrong one', async () => {
  const without = await send(client.token_endpoint, { method: 'POST', body: valid });
  const wrong = await post(client.token_endpoint, valid, {
    headers: { 'Content-Type': 'text/plain' },
  });
  assert.equal(without.status, 415);
  assert.equal(without.body, wrong.body);
});

test('T-55: a packed body is refused before it is unpacked', async () => {
  for (const encoding of ['gzip', 'deflate', 'br', 'x-gzip']) {
    const reply = await post(client.token_endpoint, valid, {
      headers: { 'Content-Encoding': encoding },
    });
    assert.equal(reply.status, 415, encoding);
    assert.equal(reply.headers['accept-encoding'], 'identity');
  }
});

test('T-41: an error never repeats what was sent', async () => {
  const canary = 'canary-7f3a';
  const bodies = [
    `${valid}&${canary}=1&${canary}=2`,
    `${valid.replace(grant, `grant_type=${canary}`)}`,
    `${valid}&scope=${canary}`,
    `${valid}&scope=%22${canary}%0d%0a`,
    `${valid}&resource=${canary}`,
    `client_id=${canary}&client_secret=${canary}&${grant}`,
    `${valid}&${canary}=%zz`,
  ];
  for (const body of bodies) {
    const reply = await post(client.token_endpoint, body);
    assert.notEqual(reply.status, 200, body);
    const { 'x-request-id': _id, ...headers } = reply.headers;
    assert.ok(!JSON.stringify([headers, reply.body]).includes(canary), body);
  }
});
