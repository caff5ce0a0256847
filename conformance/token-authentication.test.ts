import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { askToken, grantOf, newClient, newProgram } from './onboarding.ts';
import { rawExchange, rawRequest } from './raw-connection.ts';
import type { Reply } from './reply.ts';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const [client, other, live] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program),
  newClient(authority, program, { environment: 'production' }),
]);

/** All that an attacker could compare, save what differs between any two answers. */
function comparable({ status, headers, body }: Reply): unknown {
  const { date: _date, 'x-request-id': _id, ...same } = headers;
  return { status, headers: same, body };
}

const unknown = {
  client_id: client.client_id.replace(/.{16}$/, '0000000000000000'),
  client_secret: client.client_secret,
  grant_type: 'client_credentials',
};

function flipped(text: string, at: number): string {
  return `${text.slice(0, at)}${text.at(at) === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;
}

const wrongSecrets: Readonly<Record<string, string>> = {
  'one character off, in the middle': flipped(client.client_secret, 30),
  'one character off, at the end': flipped(client.client_secret, client.client_secret.length - 1),
  'one character short': client.client_secret.slice(0, -1),
  'one character long': `${client.client_secret}a`,
  'in another case': client.client_secret.toLowerCase(),
  'a secret of another client': other.client_secret,
  'a space after it': `${client.client_secret} `,
  'a space alone': ' ',
  'its prefix alone': 'secret_test_',
  'no secret of ours at all': 'hunter2',
  SQL: "' or '1'='1",
  'Latin letters outside ASCII': 'gehe\u00efm',
};

for (const [name, secret] of Object.entries(wrongSecrets)) {
  test(`T-18, T-19, T-20: an unknown client and a wrong secret (${name}) get the same bytes`, async () => {
    const from = freshAddress();
    const stranger = await post(client.token_endpoint, unknown, { from });
    const wrong = await askToken(client, { client_secret: secret }, { from });
    assert.equal(stranger.status, 401);
    assert.equal(stranger.json()['error'], 'invalid_client');
    assert.deepEqual(comparable(wrong), comparable(stranger));
  });
}

const fullWidth = (text: string): string =>
  text.replace(/[!-~]/g, (each) => String.fromCharCode(each.charCodeAt(0) + 0xfee0));

const variants: Readonly<Record<string, string>> = {
  'upper case': client.client_id.toUpperCase(),
  'a space after it': `${client.client_id} `,
  'a space before it': ` ${client.client_id}`,
  'a tab after it': `${client.client_id}\t`,
  'full-width letters': fullWidth(client.client_id),
  'a zero-width space in it': `${client.client_id.slice(0, 15)}\u200b${client.client_id.slice(15)}`,
  'a byte order mark before it': `\ufeff${client.client_id}`,
  'a soft hyphen after it': `${client.client_id}\u00ad`,
  'a wildcard for its last character': `${client.client_id.slice(0, -1)}_`,
  'a wildcard for all of it': '%',
};

for (const [name, id] of Object.entries(variants)) {
  test(`T-22: a client_id with ${name} is another client_id, and unknown`, async () => {
    const from = freshAddress();
    const reply = await askToken(client, { client_id: id }, { from });
    assert.deepEqual(
      comparable(reply),
      comparable(await post(client.token_endpoint, unknown, { from })),
    );
  });
}

test('T-20: the right secret with another client’s id is refused', async () => {
  const reply = await askToken(other, { client_secret: client.client_secret });
  assert.equal(reply.status, 401);
  assert.equal(reply.json()['error'], 'invalid_client');
});

for (const [here, there, presented] of [
  ['production', 'sandbox', client],
  ['sandbox', 'production', live],
] as const) {
  test(`T-21: ${there} credentials at ${here} are told where they belong`, async () => {
    const reply = await post(`${authority.issuer(here)}/token`, grantOf(presented));
    assert.equal(reply.status, 401);
    assert.equal(reply.json()['error'], 'invalid_client');
    const words = String(reply.json()['error_description']);
    for (const told of [here, there, presented.token_endpoint]) assert.ok(words.includes(told));
  });

  test(`T-21: which ${there} clients exist is not told at ${here}`, async () => {
    const known = await post(`${authority.issuer(here)}/token`, grantOf(presented));
    const made = presented.client_id.replace(/.{16}$/, '0000000000000000');
    const guess = { ...grantOf(presented), client_id: made, client_secret: 'x' };
    const guessed = await post(`${authority.issuer(here)}/token`, guess);
    assert.deepEqual(comparable(guessed), comparable(known));
  });
}

const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const right = basic(client.client_id, client.client_secret);
const grantOnly = { grant_type: 'client_credentials' };

test('T-32, T-75: Basic is refused, as the metadata says, and told to use the body', async () => {
  const metadata = await send(`${authority.issuer()}/.well-known/oauth-authorization-server`);
  assert.deepEqual(metadata.json()['token_endpoint_auth_methods_supported'], [
    'client_secret_post',
  ]);
  const reply = await post(client.token_endpoint, grantOnly, { headers: { Authorization: right } });
  assert.equal(reply.status, 401);
  assert.equal(reply.json()['error'], 'invalid_client');
  assert.match(reply.headers['www-authenticate'] ?? '', /^Basic realm=/);
  assert.match(String(reply.json()['error_description']), /body/);
});

const headers: readonly (readonly [string, string, Record<string, string>, number, string])[] = [
  ['T-33: Basic beside body credentials', right, grantOf(client), 400, 'invalid_request'],
  [
    'T-33: wrong Basic beside right body credentials',
    basic('x', 'y'),
    grantOf(client),
    400,
    'invalid_request',
  ],
  [
    'T-34: Basic of one client beside another’s client_id',
    right,
    { ...grantOnly, client_id: other.client_id },
    401,
    'invalid_client',
  ],
  [
    'T-35: a bearer token beside body credentials',
    'Bearer x',
    grantOf(client),
    400,
    'invalid_request',
  ],
  ['T-35: a bearer token alone', 'Bearer x', grantOnly, 401, 'invalid_client'],
  [
    'T-36: Basic without a colon',
    `Basic ${Buffer.from('x').toString('base64')}`,
    grantOnly,
    401,
    'invalid_client',
  ],
  ['T-36: Basic that is not base64', 'Basic ???', grantOnly, 401, 'invalid_client'],
  [
    'T-36: Basic with an empty password',
    basic(client.client_id, ''),
    grantOnly,
    401,
    'invalid_client',
  ],
  ['T-36: Basic and nothing', 'Basic', grantOnly, 401, 'invalid_client'],
  ['T-36: Basic in lower case', right.replace('Basic', 'basic'), grantOnly, 401, 'invalid_client'],
  ['T-36: Basic with bytes that are no UTF-8', 'Basic /////w==', grantOnly, 401, 'invalid_client'],
  ['T-35: a scheme that nobody knows', 'Negotiate x', grantOnly, 401, 'invalid_client'],
  [
    'T-35: a scheme that nobody knows beside body credentials',
    'Negotiate x',
    grantOf(client),
    400,
    'invalid_request',
  ],
];

for (const [name, authorization, fields, status, error] of headers) {
  test(`${name}: ${status} ${error}`, async () => {
    const reply = await post(client.token_endpoint, fields, {
      headers: { Authorization: authorization },
    });
    assert.equal(reply.status, status, reply.body);
    assert.equal(reply.json()['error'], error);
  });
}

test('T-33: two Authorization lines are refused, whichever comes first', async () => {
  const body = new URLSearchParams(grantOnly).toString();
  for (const lines of [
    [right, 'Bearer x'],
    ['Bearer x', right],
  ]) {
    const [reply] = await rawExchange(
      authority.port,
      rawRequest(
        'POST /sandbox/token',
        [
          `Host: 127.0.0.1:${authority.port}`,
          'Content-Type: application/x-www-form-urlencoded',
          `Content-Length: ${body.length}`,
          'Connection: close',
          ...lines.map((line) => `Authorization: ${line}`),
        ],
        body,
      ),
    );
    assert.equal(reply?.status, 400);
  }
});

test('R-15: introspection and revocation authenticate by the same rules', async () => {
  for (const endpoint of ['introspect', 'revoke']) {
    const url = `${authority.issuer()}/${endpoint}`;
    const token = { token: 'x' };
    const own = { client_id: client.client_id, client_secret: client.client_secret };
    const asked = async (
      fields: string | Record<string, string>,
      given: Record<string, string> = {},
    ): Promise<readonly [number, unknown]> => {
      const reply = await post(url, fields, { headers: given, from: freshAddress() });
      return [reply.status, reply.body === '' ? undefined : reply.json()['error']];
    };
    const pairs = new URLSearchParams({ ...own, ...token });
    assert.deepEqual(await asked({ ...own, ...token }), [200, undefined]);
    assert.deepEqual(await asked(`${pairs}&client_id=x`), [400, 'invalid_request']);
    assert.deepEqual(await asked(`${pairs}&client_secret=x`), [400, 'invalid_request']);
    assert.deepEqual(await asked(token, { Authorization: right }), [401, 'invalid_client']);
    assert.deepEqual(await asked({ ...own, ...token }, { Authorization: right }), [
      400,
      'invalid_request',
    ]);
    assert.deepEqual(await asked({ ...own, ...token }, { Authorization: 'Bearer x' }), [
      400,
      'invalid_request',
    ]);
    assert.deepEqual(await asked(token, { Authorization: 'Basic ???' }), [401, 'invalid_client']);
    assert.deepEqual(await asked({ ...own, ...token, client_secret: '' }), [401, 'invalid_client']);
    assert.deepEqual(await asked(token), [401, 'invalid_client']);
  }
});
