import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FORM, freshAddress } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  askToken,
  grantOf,
  isActive,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';
import { rawConnection, rawRequest } from './raw-connection.ts';

const authority = await startAuthority();
after(() => authority.stop());
const program = await newProgram(authority);
const [client, abandoned, server] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program),
  newClient(authority, program, { isResourceServer: true }),
]);

/** How many tokens of a client are on record, as an operator lists them. */
async function recorded(clientId: string): Promise<number> {
  return (await authority.list('token', 'list', '--client', clientId)).length;
}

test('R-09, I-19: what was revoked before the power was cut stays dead, what was not stays alive', async () => {
  const [killed, spared] = [await tokenOf(client), await tokenOf(client)];
  assert.equal((await revoke(client, killed)).status, 200);
  await authority.kill();
  await authority.start();
  assert.equal(await isActive(server, killed), false);
  assert.equal(await isActive(server, spared), true);
});

test('I-19: a suspension outlives a power cut, and what it killed outlives the reactivation', async () => {
  const suspended = await newClient(authority, program);
  const token = await tokenOf(suspended);
  await authority.cli('client', 'suspend', suspended.client_id, '--reason', 'leak');
  await authority.kill();
  await authority.start();
  assert.equal(await isActive(server, token), false);
  assert.equal((await askToken(suspended, {}, { from: freshAddress() })).status, 401);
  await authority.cli('client', 'reactivate', suspended.client_id);
  await authority.kill();
  await authority.start();
  assert.equal(await isActive(server, token), false);
  assert.equal(await isActive(server, await tokenOf(suspended)), true);
});

test('I-19: who is onboarded while no server runs is served by the next one', async () => {
  const token = await tokenOf(client);
  await authority.kill();
  const late = await newClient(authority, program);
  await authority.start();
  assert.equal(await isActive(server, await tokenOf(late)), true);
  assert.equal(await isActive(server, token), true);
});

test('T-72: a token whose client hung up is on record like any other, and asking again gives another', async () => {
  const before = await recorded(abandoned.client_id);
  const body = new URLSearchParams(grantOf(abandoned)).toString();
  const abandonments = 20;
  for (let n = 0; n < abandonments; n += 1) {
    const connection = rawConnection(authority.port);
    connection.send(
      rawRequest(
        'POST /sandbox/token',
        [
          `Host: 127.0.0.1:${authority.port}`,
          `Content-Type: ${FORM}`,
          `Content-Length: ${body.length}`,
        ],
        body,
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, n % 5));
    connection.destroy();
  }
  const seen = await tokenOf(abandoned);
  const count = (await recorded(abandoned.client_id)) - before;
  assert.ok(count >= 1 && count <= abandonments + 1, `${count} on record`);
  assert.equal(await isActive(server, seen), true);
  assert.doesNotMatch(authority.written(), /a request failed/);
});

test('every granted token is on record, and nothing else is, whatever was refused beside it', async () => {
  const granted: string[] = [];
  const before = await recorded(client.client_id);
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const from = freshAddress();
      if (n % 2 === 0) granted.push(await tokenOf(client));
      else assert.equal((await askToken(client, { scope: 'x' }, { from })).status, 400);
    }),
  );
  assert.equal((await recorded(client.client_id)) - before, granted.length);
});
