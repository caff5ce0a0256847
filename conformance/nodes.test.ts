import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freshAddress, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  askToken,
  type Client,
  introspect,
  isActive,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';

const NODES = 2;
/** Connections are dealt out in turn, so that each node has its share of them. */
const ASKED = 6 * NODES;
const ONCE = { Connection: 'close' };

const authority = await startAuthority({
  options: ['--workers', String(NODES)],
  firstCommand: ['program', 'list'],
});
after(() => authority.stop());
const program = await newProgram(authority);
const [client, server] = await Promise.all([
  newClient(authority, program),
  newClient(authority, await newProgram(authority, 'The bank'), { isResourceServer: true }),
]);
for (let looks = 0; looks < 200; looks += 1) {
  if ((await authority.list('nodes')).length === NODES) break;
}

/** What the nodes say of a token, each asked several times on connections of their own. */
async function everywhere(token: string): Promise<ReadonlySet<unknown>> {
  const said = new Set<unknown>();
  for (let asked = 0; asked < ASKED; asked += 1) {
    const reply = await introspect(server, token, { headers: ONCE });
    assert.equal(reply.status, 200, reply.body);
    said.add(reply.json()['active']);
  }
  return said;
}

async function statusesEverywhere(of: Client): Promise<ReadonlySet<number>> {
  const said = new Set<number>();
  for (let asked = 0; asked < ASKED; asked += 1) {
    said.add((await askToken(of, {}, { headers: ONCE, from: freshAddress() })).status);
  }
  return said;
}

test('T-01, I-01: a token of one node is a token to every node', async () => {
  for (let minted = 0; minted < 2 * NODES; minted += 1) {
    assert.deepEqual(await everywhere(await tokenOf(client)), new Set([true]));
  }
});

test('R-01: a token revoked at one node is dead at every node when that one answers', async () => {
  const token = await tokenOf(client);
  assert.equal((await revoke(client, token, { headers: ONCE })).status, 200);
  assert.deepEqual(await everywhere(token), new Set([false]));
});

test('I-15: after the receipt of a suspension no node accepts what it killed, and after that of a reactivation every node serves', async () => {
  const token = await tokenOf(client);
  const receipt = await authority.cli('program', 'suspend', program, '--reason', 'leak');
  assert.equal(receipt['complete'], true);
  assert.equal((receipt['confirmed'] as readonly unknown[]).length, NODES);
  assert.deepEqual(await everywhere(token), new Set([false]));
  assert.deepEqual(await statusesEverywhere(client), new Set([401]));
  await authority.cli('program', 'reactivate', program);
  assert.deepEqual(await statusesEverywhere(client), new Set([200]));
  assert.deepEqual(await everywhere(token), new Set([false]));
  assert.equal(await isActive(server, await tokenOf(client)), true);
});

test('D-14: every node tags the same metadata alike', async () => {
  const tags = new Set<string | undefined>();
  for (let asked = 0; asked < ASKED; asked += 1) {
    const url = `${authority.issuer()}/.well-known/oauth-authorization-server`;
    tags.add((await send(url, { headers: ONCE })).headers['etag']);
  }
  assert.equal(tags.size, 1);
});
