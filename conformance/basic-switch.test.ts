/** What Basic means once an installation has switched it on; what it means by default stands in `token-authentication.test.ts`. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post, type Sending, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { askToken, type Client, credentialsOf, newClient, newProgram } from './onboarding.ts';
import type { Reply } from './reply.ts';

const skip = process.platform === 'linux' ? false : 'needs a second loopback address';
/** Above every limit there is, so that one must be met. */
const TRIES_MAX = 200;

const authority = await startAuthority({ variables: { COUNTERSIGN_LOG_LEVEL: 'debug' } });
after(() => authority.stop());
const program = await newProgram(authority);
const [client, other, live, server] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program),
  newClient(authority, program, { environment: 'production' }),
  newClient(authority, program, { isResourceServer: true }),
]);
const turn = (value: 'on' | 'off') => authority.cli('policy', 'set', 'basic-authentication', value);

const GRANT = { grant_type: 'client_credentials' };
const sent: string[] = [];

function basic(id: string, secret: string): string {
  const encoded = Buffer.from(`${id}:${secret}`).toString('base64');
  sent.push(secret, encoded);
  return `Basic ${encoded}`;
}

const basicOf = (of: Client): string => basic(of.client_id, of.client_secret);

function ask(
  authorization: string,
  fields: Readonly<Record<string, string>> = {},
  { url = client.token_endpoint, ...sending }: Sending & { readonly url?: string } = {},
): Promise<Reply> {
  const headers = { Authorization: authorization };
  return post(url, { ...GRANT, ...fields }, { headers, from: freshAddress(), ...sending });
}

async function methods(): Promise<readonly unknown[]> {
  const reply = await send(`${authority.issuer()}/.well-known/oauth-authorization-server`);
  const document = reply.json();
  return ['token', 'introspection', 'revocation'].map(
    (one) => document[`${one}_endpoint_auth_methods_supported`],
  );
}

/** All that an attacker could compare, save what differs between any two answers. */
function comparable({ status, headers, body }: Reply): unknown {
  const { date: _date, 'x-request-id': _id, ...same } = headers;
  return { status, headers: same, body };
}

test('T-32, T-75: Basic is refused until it is switched on, as the metadata says', async () => {
  const bodyOnly = ['client_secret_post'];
  assert.deepEqual(await methods(), [bodyOnly, bodyOnly, bodyOnly]);
  assert.equal((await ask(basicOf(client))).status, 401);
  await turn('on');
  const both = ['client_secret_post', 'client_secret_basic'];
  assert.deepEqual(await methods(), [both, both, both]);
  const reply = await ask(basicOf(client));
  assert.equal(reply.status, 200, reply.body);
  assert.equal((await askToken(client)).status, 200, 'the body is taken as before');
});

test('T-32: both spellings of the same credentials are taken, also beside the same client_id', async () => {
  const escaped = (text: string): string => text.replaceAll('_', '%5F');
  const spelled = basic(escaped(client.client_id), escaped(client.client_secret));
  assert.equal((await ask(spelled)).status, 200);
  assert.equal((await ask(basicOf(client).replace('Basic', 'basic'))).status, 200);
  assert.equal((await ask(basicOf(client), { client_id: client.client_id })).status, 200);
  assert.equal((await ask(basicOf(client), { scope: 'x' })).json()['error'], 'invalid_scope');
});

test('R-15: introspection and revocation take it by the same rules', async () => {
  const token = String((await ask(basicOf(client))).json()['access_token']);
  const at = (endpoint: string, by: Client, more = {}): Promise<Reply> =>
    ask(basicOf(by), { token, ...more }, { url: `${authority.issuer()}/${endpoint}` });
  assert.equal((await at('introspect', server)).json()['active'], true);
  assert.equal((await at('introspect', other)).json()['active'], false);
  assert.equal((await at('introspect', server, credentialsOf(server))).status, 400);
  assert.equal((await at('revoke', other)).status, 400, 'a client may revoke its own tokens only');
  assert.equal((await at('revoke', client, { client_id: other.client_id })).status, 400);
  assert.equal((await at('revoke', client)).status, 200);
  assert.equal((await at('introspect', server)).json()['active'], false);
});

const refused: readonly (readonly [string, string, Record<string, string>, number])[] = [
  ['T-33: Basic beside body credentials', basicOf(client), credentialsOf(client), 400],
  ['T-33: wrong Basic beside right credentials', basic('x', 'y'), credentialsOf(client), 400],
  ['T-33: Basic beside an assertion', basicOf(client), { client_assertion: 'x' }, 400],
  ['T-34: Basic of A beside client_id B', basicOf(client), { client_id: other.client_id }, 400],
  ['T-35: a bearer token alone', 'Bearer x', {}, 401],
  ['T-35: a bearer token beside body credentials', 'Bearer x', credentialsOf(client), 400],
  ['T-36: no colon', `Basic ${Buffer.from('x').toString('base64')}`, {}, 401],
  ['T-36: no base64', 'Basic ???', {}, 401],
  ['T-36: an empty password', basic(client.client_id, ''), {}, 401],
  ['T-36: an empty name', basic('', client.client_secret), {}, 401],
  ['T-36: nothing', 'Basic', {}, 401],
  ['T-36: no UTF-8', 'Basic /////w==', {}, 401],
  ['T-36: a broken escape', basic(client.client_id, '%zz'), {}, 401],
  ['T-18: a space after the secret', basic(client.client_id, `${client.client_secret}+`), {}, 401],
];

for (const [name, authorization, fields, status] of refused) {
  test(`${name}: ${status} where Basic is taken`, async () => {
    const reply = await ask(authorization, fields);
    assert.equal(reply.status, status, reply.body);
    const error = status === 401 ? 'invalid_client' : 'invalid_request';
    assert.equal(reply.json()['error'], error);
    if (status === 401) assert.match(reply.headers['www-authenticate'] ?? '', /^Basic realm=/);
  });
}

test('T-19, T-21: unknown and wrong get the same bytes, in the header and in the body', async () => {
  const unknown = client.client_id.replace(/.{16}$/, '0000000000000000');
  const stranger = await ask(basic(unknown, client.client_secret));
  const wrong = await ask(basic(client.client_id, other.client_secret));
  const inBody = await askToken(client, { client_secret: 'x' }, { from: freshAddress() });
  assert.equal(stranger.status, 401);
  assert.deepEqual(comparable(wrong), comparable(stranger));
  assert.deepEqual(comparable(inBody), comparable(stranger));
  const elsewhere = await ask(basicOf(live));
  assert.ok(String(elsewhere.json()['error_description']).includes(live.token_endpoint));
});

test('T-64: guesses in the header count, with those in the body; a header without a secret is none', {
  skip,
}, async () => {
  const from = freshAddress();
  for (let n = 0; n < 30; n += 1) {
    assert.equal((await ask(basic(client.client_id, ''), {}, { from })).status, 401);
  }
  assert.equal((await ask(basicOf(client), {}, { from })).status, 200);
  let tries = 0;
  let reply: Reply;
  do {
    tries += 1;
    reply = await ask(basic(client.client_id, `guess${tries}`), {}, { from });
  } while (reply.status === 401 && tries < TRIES_MAX);
  assert.equal(reply.status, 429);
  assert.ok(tries > 1 && tries <= 20, `throttled after ${tries}`);
  assert.equal((await ask(basicOf(client), {}, { from })).status, 429, 'even a right guess waits');
  assert.equal((await askToken(client, {}, { from })).status, 429, 'and one in the body');
  assert.equal((await ask(basicOf(other), {}, { from })).status, 200);
});

test('a suspended client gets nothing by Basic either', async () => {
  await authority.cli('client', 'suspend', other.client_id, '--reason', 'leaked');
  assert.equal((await ask(basicOf(other))).status, 401);
});

test('switched off, it ends with the receipt, and counts as no guess again', { skip }, async () => {
  await turn('off');
  const from = freshAddress();
  for (let n = 0; n < 30; n += 1) {
    const reply = await ask(basic(client.client_id, 'guess'), {}, { from });
    assert.equal(reply.status, 401);
    assert.match(String(reply.json()['error_description']), /in the form body/);
  }
  assert.equal((await ask(basicOf(client), {}, { from })).status, 401);
  assert.equal((await askToken(client, {}, { from })).status, 200);
  assert.deepEqual((await methods())[0], ['client_secret_post']);
});

test('T-68: nothing that came in a header stands in the log', () => {
  const long = sent.filter((one) => one.length > 20);
  assert.ok(long.length > 10);
  for (const one of long) assert.ok(!authority.written().includes(one.slice(0, 40)));
});
