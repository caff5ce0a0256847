import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { after, beforeEach, test } from 'node:test';
import { post, send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import {
  askToken,
  credentialsOf,
  introspect,
  isActive,
  newClient,
  newProgram,
  revoke,
  tokenOf,
} from './onboarding.ts';
import type { Reply } from './reply.ts';

const isLinux = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
const skip = isLinux ? false : 'needs prlimit to make writing fail';
const LEASE_MS = 1_500;

const authority = await startAuthority({ variables: { COUNTERSIGN_LEASE_MS: String(LEASE_MS) } });
after(() => authority.stop());
const program = await newProgram(authority);
const [client, server] = await Promise.all([
  newClient(authority, program),
  newClient(authority, program, { isResourceServer: true }),
]);

/** Lets no file of the running server grow, which is what a full disk does. */
function failWrites(): void {
  execFileSync('prlimit', ['--pid', String(authority.pid()), '--fsize=0:']);
}

function mendWrites(): void {
  execFileSync('prlimit', ['--pid', String(authority.pid()), '--fsize=unlimited:']);
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20 * LEASE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isReady = async (): Promise<boolean> =>
  (await fetch(`${authority.origin}/health/ready`)).status === 200;
const isServing = async (): Promise<boolean> =>
  (await isReady()) && (await askToken(client)).status === 200;

function assertOutage(reply: Reply): void {
  assert.equal(reply.status, 503, reply.body);
  assert.equal(reply.json()['error'], 'temporarily_unavailable');
  assert.match(reply.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  assert.doesNotMatch(reply.body, /access_token"|active/);
}

beforeEach(async () => {
  if (!isLinux) return;
  mendWrites();
  await until(isServing, 'the authority serves again');
});

test('T-70, T-71: a token that cannot be put on record is not handed out, and the caller is not blamed', {
  skip,
}, async () => {
  const alive = await tokenOf(client);
  failWrites();
  for (let n = 0; n < 5; n += 1) assertOutage(await askToken(client));
  const scope = await askToken(client, { scope: 'nonsense' });
  assert.ok([400, 503].includes(scope.status));
  mendWrites();
  await until(isServing, 'tokens are granted again without a restart');
  assert.equal(await isActive(server, alive), true);
});

test('R-08: a revocation that cannot be written is never said to be done', { skip }, async () => {
  const token = await tokenOf(client);
  failWrites();
  assertOutage(await revoke(client, token));
  mendWrites();
  await until(isServing, 'the authority serves again');
  const isAlive = await isActive(server, token);
  assert.equal(isAlive, true, 'refused as a whole, not in part');
  assert.equal((await revoke(client, token)).status, 200);
  assert.equal(await isActive(server, token), false);
});

test('I-21: a node that has had no news for its lease calls no token inactive, and no credential wrong', {
  skip,
}, async () => {
  const token = await tokenOf(client);
  failWrites();
  await until(async () => !(await isReady()), 'the lease ends');
  assertOutage(await introspect(server, token));
  assertOutage(await introspect(server, 'nonsense'));
  assertOutage(await askToken(client));
  assertOutage(await askToken(client, { client_secret: 'wrong' }));
  assertOutage(await revoke(client, token));
  const url = `${authority.issuer()}/introspect`;
  const malformed = await post(url, credentialsOf(server));
  assert.ok([400, 503].includes(malformed.status), 'what is wrong in itself may be said');
  const metadata = await send(`${authority.issuer()}/.well-known/oauth-authorization-server`);
  assert.equal(metadata.status, 200);
  mendWrites();
  await until(isServing, 'it decides again by itself');
  assert.equal(await isActive(server, token), true);
});
