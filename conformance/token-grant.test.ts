import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { post } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { askToken, declareScopes, grantOf, newClient, newProgram } from './onboarding.ts';
import { assertLooksRandom } from './randomness.ts';

const authority = await startAuthority();
after(() => authority.stop());
await declareScopes(authority, ['accounts:read', 'accounts:write', 'payments']);
const program = await newProgram(authority);
const client = await newClient(authority, program, { scope: 'accounts:read accounts:write' });

test('T-01, T-02, T-03: a grant is one flat JSON object with a bearer token for an hour and no refresh token', async () => {
  const reply = await askToken(client);
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['content-type'], 'application/json');
  const answer = reply.json();
  assert.deepEqual(Object.keys(answer).sort(), [
    'access_token',
    'expires_in',
    'scope',
    'token_type',
  ]);
  assert.equal(typeof answer['access_token'], 'string');
  assert.equal(answer['token_type'], 'Bearer');
  assert.equal(answer['expires_in'], 3600);
});

test('T-04: no cache keeps a grant', async () => {
  const { headers } = await askToken(client);
  assert.match(headers['cache-control'] ?? '', /no-store/);
  assert.equal(headers['pragma'], 'no-cache');
});

const grants: readonly (readonly [string, string | undefined, string])[] = [
  ['T-05: without scope all that the client may have is granted', undefined, WHOLE()],
  ['T-28: an empty scope is a scope left out', '', WHOLE()],
  ['T-06: a part of it is granted when asked for', 'accounts:read', 'accounts:read'],
  ['T-09: order does not matter', 'accounts:write accounts:read', WHOLE()],
  ['T-09: nor does a repeated name', 'accounts:read accounts:read', 'accounts:read'],
];

function WHOLE(): string {
  return 'accounts:read accounts:write';
}

for (const [name, scope, granted] of grants) {
  test(`${name}, and said`, async () => {
    const reply = await askToken(client, scope === undefined ? {} : { scope });
    assert.equal(reply.status, 200, reply.body);
    assert.equal(reply.json()['scope'], granted);
  });
}

const refusedScopes: readonly (readonly [string, string])[] = [
  ['T-07: a scope that nobody declared', 'accounts:delete'],
  ['T-07: a declared scope that is not the client’s', 'payments'],
  ['T-07: one allowed scope beside one that is not', 'accounts:read payments'],
  ['T-10: a scope in another case', 'Accounts:read'],
  ['T-08: a quote', 'accounts"read'],
  ['T-08: a backslash', 'accounts\\read'],
  ['T-08: a control character', 'accounts:read\t'],
  ['T-08: a line break', 'accounts:read\naccounts:write'],
  ['T-08: a character outside ASCII', 'accounts:réad'],
  ['T-08: two spaces between names', 'accounts:read  accounts:write'],
  ['T-08: a space before the first name', ' accounts:read'],
];

for (const [name, scope] of refusedScopes) {
  test(`${name} is 400 invalid_scope, and nothing is granted`, async () => {
    const reply = await askToken(client, { scope });
    assert.equal(reply.status, 400);
    assert.equal(reply.json()['error'], 'invalid_scope');
    assert.equal(reply.json()['access_token'], undefined);
  });
}

test('T-54: a credential longer than any of ours is refused like a wrong one', async () => {
  const long = { ...grantOf(client), client_secret: client.client_secret.padEnd(7_000, 'a') };
  const one = await post(client.token_endpoint, long);
  const oneMore = { ...grantOf(client), client_secret: `${client.client_secret}a` };
  const another = await post(client.token_endpoint, oneMore);
  assert.equal(one.status, 401);
  assert.equal(one.body, another.body);
});

test('T-66, T-67: ten thousand tokens are all different, and nothing in them can be foretold', async () => {
  const tokens: string[] = [];
  for (let batch = 0; batch < 200; batch += 1) {
    const replies = await Promise.all(Array.from({ length: 50 }, () => askToken(client)));
    for (const reply of replies) tokens.push(String(reply.json()['access_token']));
  }
  assertLooksRandom(tokens);
});

test('T-74: an identifier is never chosen by whoever will carry it', async () => {
  const create = ['client', 'create', '--program', program, '--environment', 'sandbox'];
  const { code, stdout } = await authority.command(
    ...create,
    ...['--name', 'x', '--client-id', program],
  );
  assert.equal(code, 2, 'there is no such option');
  assert.equal(stdout, '');
  assert.match(client.client_id, /^client_test_[0-9A-Za-z]{16}$/);
  assert.match(program, /^program_/);
});
