import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { OperationContext } from './operations/context.ts';
import { listKeys } from './operations/list-keys.ts';
import { retireKey, retireLeakedKey } from './operations/retire-key.ts';
import { rotateKey } from './operations/rotate-key.ts';
import { runProgram } from './testing/command-line.ts';
import { newDataDirectory } from './testing/data.ts';
import { type Load, startLoad as startLoadOn } from './testing/load.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  post,
  requestToken,
} from './testing/onboarding.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';

const SANDBOX = 'sandbox';
const REASON = 'key seen in a dump';

type Servers = readonly [RunningServer, RunningServer];
type World = {
  readonly data: string;
  readonly context: OperationContext;
  readonly servers: Servers;
  readonly client: Onboarded;
  readonly asker: Onboarded;
};

/** Two server processes on one data directory, and an operator's process beside them. */
async function withServers(body: (world: World) => Promise<void>): Promise<void> {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const client = await onboard(context);
    const asker = await onboard(context, { resourceServer: true });
    const servers = await Promise.all([startServer(data), startServer(data)]);
    try {
      await body({ data, context, servers, client, asker });
    } finally {
      for (const server of servers) server.process.kill('SIGKILL');
    }
  });
}

const startLoad = ({ servers, client, asker }: World): Load =>
  startLoadOn({ urls: servers.map(({ url }) => url), client, asker });

async function tokensOf({ servers, client }: World): Promise<readonly string[]> {
  const tokens = await Promise.all(servers.map((server) => requestToken(server.url, client)));
  return tokens.map((token) => {
    assert.ok(token, 'a live client gets a token');
    return token;
  });
}

/** Fails unless every server says the same of every token. */
async function assertEverywhere(
  { servers, asker }: World,
  tokens: readonly string[],
  said: 'active' | 'inactive',
): Promise<void> {
  for (const server of servers) {
    for (const token of tokens) assert.equal(await introspect(server.url, asker, token), said);
  }
}

/** Runs SQL in another process: this one must not open a database that others hold locks on. */
async function tamper(data: string, sql: string): Promise<void> {
  const script = `const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(process.argv[1]);
    database.exec(process.argv[2]);
    database.close();`;
  const argv = ['-e', script, `${data}/countersign.db`, sql];
  const { code, stderr } = await runProgram(process.execPath, argv);
  assert.equal(code, 0, stderr);
}

/** Waits until no live secret needs the pepper of `version`. */
async function untilUnused({ context }: World, version: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const keys = await listKeys(context);
    const pepper = keys.find(
      (key) => key.environment === SANDBOX && key.purpose === 'secret' && key.version === version,
    );
    if (pepper?.state === 'unused') return;
    await pause(20);
  }
  assert.fail(`a secret never left pepper ${version}`);
}

test('keys and peppers rotate under load, on both nodes, without a refused request', () =>
  withServers(async (world) => {
    const { context } = world;
    const load = startLoad(world);
    const early = await tokensOf(world);
    for (let round = 0; round < 8; round += 1) {
      for (const purpose of ['token', 'secret'] as const) {
        const { receipt } = await rotateKey(context, { environment: SANDBOX, purpose });
        assert.equal(receipt.complete, true);
        assert.equal(receipt.confirmed.length, 2);
        await pause(40);
      }
    }
    assert.deepEqual(await load.stop(), []);
    assert.ok(load.requests() > 200, `${load.requests()} requests`);
    await assertEverywhere(world, early, 'active');
  }));

test('a secret moves to the newest pepper by its use, and then the old pepper goes without a refused request', () =>
  withServers(async (world) => {
    const { context } = world;
    const [first, second] = world.servers;
    const input = { environment: SANDBOX, purpose: 'secret' } as const;
    const rare = await onboard(context);
    // Both nodes hold the credentials under the first pepper.
    await tokensOf(world);
    for (const server of world.servers) assert.ok(await requestToken(server.url, rare));
    await rotateKey(context, input);
    await assert.rejects(retireKey(context, { ...input, version: 1 }), /3 live secrets need/);
    const load = startLoad(world);
    assert.ok(await requestToken(first.url, rare));
    await untilUnused(world, 1);
    const { receipt } = await retireKey(context, { ...input, version: 1 });
    assert.equal(receipt.confirmed.length, 2);
    assert.ok(await requestToken(second.url, rare), 'where it was cached under the old pepper');
    await pause(100);
    assert.deepEqual(await load.stop(), []);
    const wrong = { ...world.client, clientSecret: world.asker.clientSecret };
    for (const server of world.servers) {
      assert.equal(await requestToken(server.url, wrong), undefined);
    }
  }));

test('a client with an old secret under a retired pepper goes on with its new one', () =>
  withServers(async (world) => {
    const { context } = world;
    const input = { environment: SANDBOX, purpose: 'secret' } as const;
    const old = await onboard(context);
    await context.changes.commit({
      change: { kind: 'secret.revoke', secretId: old.secretId, killTokens: false },
      actor: 'test:operator',
      atMs: context.clock.wallMs(),
    });
    await rotateKey(context, input);
    for (const server of world.servers) {
      for (const one of [world.client, world.asker]) await requestToken(server.url, one);
    }
    await untilUnused(world, 1);
    await retireKey(context, { ...input, version: 1 });
    for (const server of world.servers) {
      const answer = await post(`${server.url}/sandbox/token`, {
        client_id: old.clientId,
        client_secret: old.clientSecret,
        grant_type: 'client_credentials',
      });
      assert.equal(answer.status, 401, 'refused as wrong, and no outage');
    }
  }));

test('after the receipt of an emergency no node accepts a token from before; every secret goes on', () =>
  withServers(async (world) => {
    const { context } = world;
    const early = await tokensOf(world);
    await rotateKey(context, { environment: SANDBOX, purpose: 'token' });
    const tokens = [...early, ...(await tokensOf(world))];
    await assertEverywhere(world, tokens, 'active');
    const { receipt, version } = await retireLeakedKey(context, {
      environment: SANDBOX,
      version: 1,
      reason: REASON,
    });
    assert.deepEqual([version, receipt.complete, receipt.confirmed.length], [3, true, 2]);
    await assertEverywhere(world, tokens, 'inactive');
    await assertEverywhere(world, await tokensOf(world), 'active');
  }));

test('an emergency under load answers no 5xx, and what is requested after its receipt is alive everywhere', () =>
  withServers(async (world) => {
    const before = startLoad(world);
    await pause(100);
    const { environment, version, reason } = { environment: SANDBOX, version: 1, reason: REASON };
    await retireLeakedKey(world.context, { environment, version, reason });
    const after = startLoad(world);
    // A token that one node hands out until it knows is dead at the other: so it should be.
    const failures = (await before.stop()).filter((failure) => failure !== '/introspect: inactive');
    await pause(200);
    assert.deepEqual(await after.stop(), []);
    assert.deepEqual(failures, []);
  }));

test('control: a key that is retired in the store alone, without a word in the log, is found alive', () =>
  withServers(async (world) => {
    const tokens = await tokensOf(world);
    await tamper(
      world.data,
      "UPDATE keys SET retired_at_ms = 1 WHERE purpose = 'token' AND environment = 1",
    );
    await pause(300);
    const alive = { name: 'AssertionError', actual: 'active', expected: 'inactive' };
    await assert.rejects(assertEverywhere(world, tokens, 'inactive'), alive);
  }));
