import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { post, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  credentialsOf,
  declareResources,
  declareScopes,
  introspect,
  isActive,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';

const LEDGER = 'https://api.bank.example/ledger';
const CARDS = 'https://api.bank.example/cards';

const authority = await startAuthority();
after(() => authority.stop());
await declareScopes(authority, ['accounts:read']);
await declareResources(authority, [LEDGER, CARDS]);
const [program, anotherProgram] = await Promise.all([
  newProgram(authority),
  newProgram(authority, 'Beta Lending'),
]);
const [client, ledgerClient, other, live, server, ledger, cards, liveServer] = await Promise.all([
  newClient(authority, program, { scope: 'accounts:read' }),
  newClient(authority, program, { resources: [LEDGER] }),
  newClient(authority, anotherProgram),
  newClient(authority, program, { environment: 'production' }),
  newClient(authority, program, { isResourceServer: true }),
  newClient(authority, anotherProgram, { isResourceServer: true, resources: [LEDGER] }),
  newClient(authority, anotherProgram, { isResourceServer: true, resources: [CARDS] }),
  newClient(authority, program, { isResourceServer: true, environment: 'production' }),
]);
const url = `${authority.issuer()}/introspect`;
const token = await tokenOf(client);

// Before the first test: the file would count as done, and its server be stopped, if all tests had ended while it still waits.
const dead = await tokenOf(client);
await revoke(client, dead);
const sealed = token.slice('token_test_'.length);
const unknownTokens: Readonly<Record<string, string>> = {
  'a revoked one': dead,
  'one of another environment': await tokenOf(live),
  'one under another environment’s prefix': `token_live_${sealed}`,
  'one under no prefix': sealed,
  'one cut short': token.slice(0, -1),
  'its beginning': token.slice(0, 40),
  'one with more behind it': `${token}a`,
  'one in another case': token.toLowerCase(),
  'one with a space behind it': `${token} `,
  'one bit off': `${token.slice(0, 60)}${token[60] === 'A' ? 'B' : 'A'}${token.slice(61)}`,
  wildcards: '%',
  'more wildcards': `${token.slice(0, -1)}_`,
  'a client secret': client.client_secret,
  'a made-up one': 'FOEtUHwg0das9PhsasVmgMGbZn7nWSgK',
  'a JWT': 'eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.',
  'six thousand characters': 'a'.repeat(6_000),
  'characters outside ASCII': 'tøken',
};

test('I-01, I-24, I-26: a live token is described by exactly the documented members', async () => {
  const beforeSeconds = Math.floor(Date.now() / 1000);
  const reply = await introspect(server, await tokenOf(client, { scope: 'accounts:read' }));
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['content-type'], 'application/json');
  const { iat, exp, jti, ...rest } = reply.json();
  assert.deepEqual(rest, {
    active: true,
    iss: authority.issuer(),
    sub: client.client_id,
    client_id: client.client_id,
    program_id: program,
    scope: 'accounts:read',
    aud: authority.issuer(),
    token_type: 'Bearer',
  });
  assert.ok(
    Number.isInteger(iat) && Number(iat) >= beforeSeconds && Number(iat) <= Date.now() / 1000,
  );
  assert.equal(Number(exp), Number(iat) + 3600);
  assert.match(String(jti), /^[A-Za-z0-9_-]{16}$/);
});

test('I-01: two tokens have two names, and one token has one', async () => {
  const name = async (of: string): Promise<unknown> => (await introspect(server, of)).json()['jti'];
  assert.notEqual(await name(token), await name(await tokenOf(client)));
  assert.equal(await name(token), await name(token));
});

test('I-20: no cache keeps an introspection', async () => {
  const { headers } = await introspect(server, token);
  assert.equal(headers['cache-control'], 'no-store');
});

for (const [name, text] of Object.entries(unknownTokens)) {
  test(`I-02: of ${name} nothing is told but that it is not active`, async () => {
    const reply = await introspect(server, text);
    assert.equal(reply.status, 200);
    assert.equal(reply.body, '{"active":false}');
  });
}

test('I-18: a token ends at the same instant for everybody, to the millisecond of its published second', async () => {
  const brief = await newClient(authority, program, { lifetimeSeconds: 2 });
  const short = await tokenOf(brief);
  const expMs = Number((await introspect(server, short)).json()['exp']) * 1000;
  let seenAlive = 0;
  for (;;) {
    const askedMs = Date.now();
    const active = await isActive(server, short);
    if (Date.now() < expMs) {
      assert.ok(active, 'dead before its time');
      seenAlive += 1;
    }
    if (askedMs >= expMs) {
      assert.equal(active, false, 'alive beyond its time');
      break;
    }
  }
  assert.ok(seenAlive > 0, 'it was alive at all');
  const successor = await tokenOf(brief);
  assert.equal(await isActive(server, successor), true, 'its client just asks for another');
});

test('I-03: a token for one resource is inactive to the server of another', async () => {
  const bound = await tokenOf(ledgerClient);
  assert.equal(await isActive(cards, bound), false);
  assert.equal(await isActive(ledger, bound), true);
});

test('I-03: a server that has resources sees no token that is bound to none', async () => {
  assert.equal(await isActive(ledger, token), false);
});

test('I-04: a resource server sees tokens of clients that are not its own', async () => {
  const reply = await introspect(ledger, await tokenOf(ledgerClient));
  assert.equal(reply.json()['active'], true);
  assert.equal(reply.json()['aud'], LEDGER);
});

test('I-05: without credentials the caller is challenged', async () => {
  const reply = await post(url, { token });
  assert.equal(reply.status, 401);
  assert.equal(reply.json()['error'], 'invalid_client');
  assert.ok(reply.headers['www-authenticate']);
});

test('I-06: wrong credentials learn nothing of a live token', async () => {
  const reply = await post(url, { ...credentialsOf(server), client_secret: 'x', token });
  assert.equal(reply.status, 401);
  assert.equal(reply.json()['error'], 'invalid_client');
  assert.equal(reply.json()['active'], undefined);
});

test('I-07: an ordinary client sees its own tokens and no other’s', async () => {
  assert.equal(await isActive(client, token), true);
  assert.equal(await isActive(other, token), false);
  assert.equal(await isActive(ledgerClient, token), false, 'not even within a program');
});

test('I-06, T-21: a resource server of another environment sees no token here, and is told where it belongs', async () => {
  const reply = await post(url, { ...credentialsOf(liveServer), token });
  assert.equal(reply.status, 401);
  assert.match(reply.body, /production/);
  assert.equal(await isActive(liveServer, token), false);
});

const own = new URLSearchParams(credentialsOf(server)).toString();
const requests: readonly (readonly [string, string, number, boolean | undefined])[] = [
  ['I-08: token missing', own, 400, undefined],
  ['I-08: token empty', `${own}&token=`, 400, undefined],
  ['I-09: token twice', `${own}&token=${token}&token=${token}`, 400, undefined],
  ['I-09: two tokens', `${own}&token=${token}&token=x`, 400, undefined],
  ['I-10: the right hint', `${own}&token=${token}&token_type_hint=access_token`, 200, true],
  [
    'I-10: the hint of a kind that does not exist here',
    `${own}&token=${token}&token_type_hint=refresh_token`,
    200,
    true,
  ],
  ['I-10: a hint that means nothing', `${own}&token=${token}&token_type_hint=nonsense`, 200, true],
  ['I-11: parameters that nobody knows', `${own}&token=${token}&foo=bar&__proto__=x`, 200, true],
  ['T-27: token[] is not token', `${own}&token[]=${token}`, 400, undefined],
];

for (const [name, body, status, active] of requests) {
  test(`${name}: ${status} ${active === undefined ? 'invalid_request' : 'and active'}`, async () => {
    const reply = await post(url, body);
    assert.equal(reply.status, status, reply.body);
    assert.equal(reply.json()['active'], active);
    if (status === 400) assert.equal(reply.json()['error'], 'invalid_request');
  });
}

test('I-13: a JSON body is refused unread', async () => {
  const reply = await send(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...credentialsOf(server), token }),
  });
  assert.equal(reply.status, 415);
});

test('I-14: a token in the Authorization header is never the one asked about', async () => {
  const bearer = { Authorization: `Bearer ${token}` };
  const alone = await post(url, '', { headers: bearer });
  assert.equal(alone.status, 401);
  const beside = await post(url, own, { headers: bearer });
  assert.equal(beside.status, 400);
  assert.equal(alone.json()['active'] ?? beside.json()['active'], undefined);
});

test('I-12: a token in the URL is refused, and dead from then on, as it is in somebody’s log', async () => {
  const exposed = await tokenOf(client);
  const reply = await post(`${url}?token=${exposed}`, own);
  assert.equal(reply.status, 400);
  assert.match(reply.body, /exposed/);
  for (let tries = 0; tries < 100 && (await isActive(server, exposed)); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(await isActive(server, exposed), false);
  assert.equal(await isActive(server, token), true, 'no other token of the client');
});
