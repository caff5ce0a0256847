import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitAndAwait, type OperationContext } from './operations/context.ts';
import type { Receipt } from './replica/receipt.ts';
import { newDataDirectory } from './testing/data.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  requestToken,
} from './testing/onboarding.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';

/** As short as a lease may be, so that waiting for one does not take long. */
const LEASE_MS = 1_000;
const SHORT_LEASE = { env: { COUNTERSIGN_LEASE_MS: String(LEASE_MS) } };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type World = {
  readonly context: OperationContext;
  readonly servers: readonly RunningServer[];
  /** The program under suspicion, and a resource server to ask about its tokens. */
  readonly leaked: Onboarded;
  readonly asker: Onboarded;
};

/** Several server processes on one data directory, and an operator's process beside them. */
async function withServers(count: number, body: (world: World) => Promise<void>): Promise<void> {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const leaked = await onboard(context);
    const asker = await onboard(context, { resourceServer: true });
    const servers = await Promise.all(
      Array.from({ length: count }, () => startServer(data, SHORT_LEASE)),
    );
    try {
      await body({ context, servers, leaked, asker });
    } finally {
      for (const server of servers) server.process.kill('SIGKILL');
    }
  });
}

async function suspend({ context, leaked }: World): Promise<Receipt> {
  const { receipt } = await commitAndAwait(context, {
    kind: 'program.suspend',
    programId: leaked.programId,
    reason: 'leaked',
  });
  return receipt;
}

async function tokenOf({ leaked }: World, server: RunningServer): Promise<string> {
  const token = await requestToken(server.url, leaked);
  assert.ok(token, 'a live client gets a token');
  return token;
}

const tell = (world: World, server: RunningServer, token: string) =>
  introspect(server.url, world.asker, token);

test('after the receipt no process accepts a token of the suspended program, whoever issued it', () =>
  withServers(3, async (world) => {
    const tokens = await Promise.all(world.servers.map((server) => tokenOf(world, server)));
    for (const server of world.servers) {
      for (const token of tokens) assert.equal(await tell(world, server, token), 'active');
    }
    const receipt = await suspend(world);
    assert.equal(receipt.complete, true);
    assert.equal(receipt.confirmed.length, 3);
    for (const server of world.servers) {
      for (const token of tokens) assert.equal(await tell(world, server, token), 'inactive');
      assert.equal(await requestToken(server.url, world.leaked), undefined);
    }
  }));

test('reactivation allows new tokens on every node and revives none', () =>
  withServers(2, async (world) => {
    const [first, second] = world.servers as [RunningServer, RunningServer];
    const token = await tokenOf(world, first);
    await suspend(world);
    const { programId } = world.leaked;
    const { receipt } = await commitAndAwait(world.context, {
      kind: 'program.reactivate',
      programId,
    });
    assert.equal(receipt.complete, true);
    for (const server of [first, second]) {
      assert.equal(await tell(world, server, token), 'inactive');
      assert.equal(await tell(world, server, await tokenOf(world, server)), 'active');
    }
  }));

test('a process that was killed is written off at once, not after its lease', () =>
  withServers(2, async (world) => {
    const [dead, living] = world.servers as [RunningServer, RunningServer];
    const token = await tokenOf(world, living);
    await dead.stop('SIGKILL');
    const receipt = await suspend(world);
    assert.equal(receipt.complete, true);
    assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
    assert.ok((receipt.fenced[0]?.ms ?? LEASE_MS) < LEASE_MS);
    assert.equal(await tell(world, living, token), 'inactive');
  }));

test('a process that is stopped holds the receipt up for its lease, and wakes refusing', () =>
  withServers(2, async (world) => {
    const [stopped, living] = world.servers as [RunningServer, RunningServer];
    const token = await tokenOf(world, stopped);
    stopped.process.kill('SIGSTOP');
    const receipt = await suspend(world);
    assert.equal(receipt.complete, true);
    assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 1]);
    assert.ok((receipt.fenced[0]?.ms ?? 0) >= LEASE_MS, 'never before its lease is over');
    assert.equal(await tell(world, living, token), 'inactive');
    const answers = Promise.all(Array.from({ length: 20 }, () => tell(world, stopped, token)));
    stopped.process.kill('SIGCONT');
    for (const answer of await answers) assert.notEqual(answer, 'active');
    // It registers anew, catches up, and serves again.
    await pause(LEASE_MS / 2);
    assert.equal(await tell(world, stopped, token), 'inactive');
    const again = await commitAndAwait(world.context, {
      kind: 'program.reactivate',
      programId: world.leaked.programId,
    });
    assert.equal(again.receipt.confirmed.length, 2);
    assert.ok(await requestToken(stopped.url, world.leaked));
  }));

test('a process that stops in order leaves the registry, and receipts no longer wait for it', () =>
  withServers(2, async (world) => {
    const [leaving] = world.servers as [RunningServer];
    assert.equal(await leaving.stop('SIGTERM'), 0);
    const receipt = await suspend(world);
    assert.deepEqual([receipt.confirmed.length, receipt.fenced.length], [1, 0]);
    assert.equal(receipt.complete, true);
  }));

test('with no process running a receipt is complete and empty', () =>
  withServers(0, async (world) => {
    const { confirmed, fenced, complete } = await suspend(world);
    assert.deepEqual(
      { confirmed, fenced, complete },
      { confirmed: [], fenced: [], complete: true },
    );
  }));

test('a token revoked at one process is dead at every other when the answer comes', () =>
  withServers(2, async (world) => {
    const [first, second] = world.servers as [RunningServer, RunningServer];
    for (let round = 0; round < 20; round += 1) {
      const token = await tokenOf(world, first);
      assert.equal(await tell(world, second, token), 'active');
      const answer = await fetch(`${first.url}/sandbox/revoke`, {
        method: 'POST',
        body: new URLSearchParams({
          client_id: world.leaked.clientId,
          client_secret: world.leaked.clientSecret,
          token,
        }),
      });
      assert.equal(answer.status, 200);
      assert.equal(await tell(world, second, token), 'inactive');
    }
  }));
