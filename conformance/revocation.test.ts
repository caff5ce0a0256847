import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, post } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  credentialsOf,
  introspect,
  isActive,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const [client, other, server, live, brief] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program),
  newClient(authority, program, { isResourceServer: true }),
  newClient(authority, program, { environment: 'production' }),
  newClient(authority, program, { lifetimeSeconds: 1 }),
]);
const url = `${authority.issuer()}/revoke`;

test('R-01: a client kills its token, and the next question about it is answered so', async () => {
  const [token, sibling] = [await tokenOf(client), await tokenOf(client)];
  const reply = await revoke(client, token);
  assert.equal(reply.status, 200);
  assert.equal(reply.body, '');
  assert.equal(await isActive(server, token), false);
  assert.equal(await isActive(server, sibling), true, 'and no other token of it');
});

test('R-02: what is dead, or never was, is revoked with the same answer', async () => {
  const [token, expired] = [await tokenOf(client), await tokenOf(brief)];
  await revoke(client, token);
  while (await isActive(server, expired)) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const [of, text] of [
    [client, token],
    [client, 'nonsense'],
    [client, `${token}x`],
    [client, client.client_secret],
    [brief, expired],
  ] as const) {
    const reply = await revoke(of, text);
    assert.equal(reply.status, 200, text.slice(0, 12));
    assert.equal(reply.body, '');
  }
});

test('R-03: with a wrong secret, or none, nothing is revoked and nobody is told so', async () => {
  const token = await tokenOf(client);
  const { client_id } = client;
  for (const fields of [
    { client_id, client_secret: other.client_secret, token },
    { client_id, client_secret: 'x', token },
    { client_id, token },
    { token },
    { client_id: other.client_id, client_secret: client.client_secret, token },
  ]) {
    const reply = await post(url, fields, { from: freshAddress() });
    assert.equal(reply.status, 401);
    assert.equal(reply.json()['error'], 'invalid_client');
  }
  assert.equal(await isActive(server, token), true);
});

test('R-04: a client cannot kill another’s token; it is told, the token lives, and operators read of the leak', async () => {
  const token = await tokenOf(client);
  const { jti } = (await introspect(server, token)).json();
  for (const stranger of [other, server]) {
    const reply = await revoke(stranger, token);
    assert.equal(reply.status, 400);
    assert.equal(reply.json()['error'], 'unauthorized_client');
  }
  assert.equal(await isActive(server, token), true);
  const told = authority
    .written()
    .split('\n')
    .filter((line) => line.includes(String(jti)));
  assert.equal(told.length, 2);
  assert.ok(told[0]?.includes(other.client_id) && told[0].includes(client.client_id));
});

test('R-04: a token of another environment is no token here, and lives on there', async () => {
  const token = await tokenOf(live);
  assert.equal((await revoke(client, token)).status, 200);
  assert.equal(await isActive(live, token), true);
});

const own = new URLSearchParams(credentialsOf(client)).toString();

test('R-05: without a token, or with two, nothing is done', async () => {
  const token = await tokenOf(client);
  for (const body of [own, `${own}&token=`, `${own}&token=${token}&token=${token}`]) {
    const reply = await post(url, body);
    assert.equal(reply.status, 400);
    assert.equal(reply.json()['error'], 'invalid_request');
  }
  assert.equal(await isActive(server, token), true);
});

for (const hint of ['access_token', 'refresh_token', 'nonsense', 'unsupported', '']) {
  test(`R-06, R-07: the token is killed whatever kind the caller takes it for (${hint || 'none'})`, async () => {
    const token = await tokenOf(client);
    const reply = await post(url, `${own}&token=${token}&token_type_hint=${hint}`);
    assert.equal(reply.status, 200);
    assert.equal(await isActive(server, token), false);
  });
}

test('R-10: no callback is called', async () => {
  const token = await tokenOf(client);
  const reply = await post(url, `${own}&token=${token}&callback=run`);
  assert.equal(reply.status, 200);
  assert.equal(reply.body, '');
});

test('R-11: a suspended client is refused at revocation: its tokens are dead already', async () => {
  const suspended = await newClient(authority, program);
  const token = await tokenOf(suspended);
  await authority.cli('client', 'suspend', suspended.client_id, '--reason', 'leaked');
  assert.equal(await isActive(server, token), false);
  const reply = await revoke(suspended, token, { from: freshAddress() });
  assert.equal(reply.status, 401);
  assert.equal(reply.json()['error'], 'invalid_client');
});

test('R-12: no question asked after the answer to a revocation finds the token alive', async () => {
  const interleavings = 300;
  let seenAlive = 0;
  for (let done = 0; done < interleavings; done += 10) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, k) => {
        const token = await tokenOf(client);
        let isDead = false;
        const killing = revoke(client, token).then((reply) => {
          assert.equal(reply.status, 200);
          isDead = true;
        });
        for (let asked = 0; asked < 4 + (k % 3); asked += 1) {
          const wasDead: boolean = isDead;
          const active = await isActive(server, token);
          if (active) seenAlive += 1;
          assert.ok(!(wasDead && active), 'a revoked token was accepted');
        }
        await killing;
        assert.equal(await isActive(server, token), false);
      }),
    );
  }
  assert.ok(seenAlive > 0, 'some questions came before the revocation, or nothing was interleaved');
});
