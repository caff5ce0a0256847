import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuthority } from './in-process.ts';
import { commitAndAwait, type OperationContext } from './operations/context.ts';
import { listNodes } from './operations/list-nodes.ts';
import { newDataDirectory } from './testing/data.ts';
import {
  assertNothingAccepted,
  reactivate,
  suspend,
  until,
  watch,
} from './testing/nodes-on-database.ts';
import { asOperator, type Onboarded, onboard, requestToken } from './testing/onboarding.ts';
import { type RunningServer, startServer } from './testing/running-server.ts';
import { type Service, startService } from './testing/verifying-process.ts';

type World = {
  readonly data: string;
  readonly context: OperationContext;
  readonly server: RunningServer;
  readonly partner: Onboarded;
  /** A live token of the partner. */
  readonly token: string;
};

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** An authority on a data directory, with a partner that holds a token. */
async function withAuthority(body: (world: World) => Promise<void>): Promise<void> {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const partner = await onboard(context);
    const server = await startServer(data);
    try {
      const token = (await requestToken(server.url, partner)) ?? assert.fail('it is alive');
      await body({ data, context, server, partner, token });
    } finally {
      server.process.kill('SIGKILL');
    }
  });
}

async function withService(data: string, body: (service: Service) => Promise<void>): Promise<void> {
  const service = await startService({ COUNTERSIGN_DATA: data });
  try {
    await body(service);
  } finally {
    await service.kill();
  }
}

const names = (entries: readonly { readonly node: string }[]) => entries.map(({ node }) => node);
const openHere = (data: string, environment = 'sandbox') =>
  openAuthority({
    ...{ environment, service: 'here', log: silent },
    settings: { COUNTERSIGN_DATA: data },
  });

test('a service is a node: it is listed, receipts wait for it, and no check that begins after one is accepted', async () => {
  await withAuthority(async ({ data, context, server, partner, token }) => {
    await withService(data, async (service) => {
      const listed = (await listNodes(context)).find(({ node }) => node === service.node);
      assert.equal(listed?.listen, 'in process: accounts-api');
      assert.equal(listed.state, 'alive');
      for (let round = 0; round < 3; round += 1) {
        const current = (await requestToken(server.url, partner)) ?? token;
        const witness = watch(() => service.tell(current));
        await until('active', async () => witness.answers.at(-1)?.heard ?? 'none');
        const receipt = await suspend(context, partner);
        const ms = performance.now();
        assert.ok(receipt.complete);
        assert.ok(names(receipt.confirmed).includes(service.node));
        assert.equal(receipt.confirmed.length, 2);
        await assertNothingAccepted(witness, ms);
        await reactivate(context, partner);
        assert.equal(await service.tell(current), 'inactive', 'what was killed stays dead');
      }
      const fresh = (await requestToken(server.url, partner)) ?? assert.fail('it works again');
      assert.equal(await service.tell(fresh), 'active');
      assert.doesNotMatch(service.log(), new RegExp(fresh));
    });
  });
});

test('a token of a client that the service may not have heard of yet is accepted at the first question', async () => {
  await withAuthority(async ({ data, context, server }) => {
    await withService(data, async (service) => {
      for (let made = 0; made < 5; made += 1) {
        const partner = await onboard({ ...context, receiptWaitMs: 0 });
        // Without a receipt the server may not know the client yet either: as soon as it does, the service is asked.
        let token: string | undefined;
        await until('granted', async () => {
          token = await requestToken(server.url, partner);
          return token === undefined ? 'refused' : 'granted';
        });
        assert.equal(await service.tell(token ?? assert.fail('it is alive')), 'active');
      }
    });
  });
});

test('a service that is killed holds up no receipt; its row is written off, as its process is gone', async () => {
  await withAuthority(async ({ data, context, partner, token }) => {
    await withService(data, async (service) => {
      assert.equal(await service.tell(token), 'active');
      await service.kill();
      const receipt = await suspend(context, partner);
      assert.ok(receipt.complete);
      assert.deepEqual(names(receipt.fenced), [service.node]);
      assert.ok(!names(receipt.confirmed).includes(service.node));
    });
  });
});

test('a service that closes leaves the registry, and its process ends by itself', async () => {
  await withAuthority(async ({ data, context, partner }) => {
    await withService(data, async (service) => {
      assert.equal(await service.close(), 0, service.log());
      assert.ok(!names(await context.nodes.list()).includes(service.node));
      const { complete, confirmed, fenced } = await suspend(context, partner);
      assert.ok(complete);
      assert.deepEqual([confirmed.length, fenced.length], [1, 0]);
    });
  });
});

test('several in one process are several nodes; each judges its own environment, and a closed one nothing', async () => {
  await withAuthority(async ({ data, context, partner, token }) => {
    const sandbox = await openHere(data);
    const production = await openHere(data, 'production');
    try {
      const question = { token, clientIp: undefined };
      const told = await sandbox.introspect(question);
      assert.ok(told.standing === 'active');
      assert.equal(told.identity.clientId, partner.clientId);
      assert.ok(!JSON.stringify(told).includes(token));
      assert.deepEqual(await production.introspect(question), { standing: 'inactive' });
      const { confirmed } = await suspend(context, partner);
      for (const { node } of [sandbox, production]) assert.ok(names(confirmed).includes(node));
      assert.deepEqual(sandbox.introspect(question), { standing: 'inactive' }, 'and at once');
      await sandbox.close();
      assert.equal((await sandbox.introspect(question)).standing, 'unknown');
      assert.ok(!names(await context.nodes.list()).includes(sandbox.node));
      assert.ok(names(await context.nodes.list()).includes(production.node));
      await sandbox.close();
    } finally {
      await Promise.all([sandbox.close(), production.close()]);
    }
  });
});

test('a scope set that the handler of one request alters is that of no other', async () => {
  await withAuthority(async ({ data, context, server }) => {
    await commitAndAwait(context, { kind: 'scope.create', environment: 'sandbox', name: 'a:b' });
    const partner = await onboard(context, { scope: ['a:b'] });
    const token = (await requestToken(server.url, partner)) ?? assert.fail('it is alive');
    const authority = await openHere(data);
    try {
      const first = await authority.introspect({ token, clientIp: undefined });
      assert.ok(first.standing === 'active');
      assert.deepEqual([...first.identity.scope], ['a:b']);
      (first.identity.scope as Set<string>).add('everything');
      const second = await authority.introspect({ token, clientIp: undefined });
      assert.ok(second.standing === 'active');
      assert.deepEqual([...second.identity.scope], ['a:b']);
    } finally {
      await authority.close();
    }
  });
});

test('no store is made and no environment guessed: what is not there is told by its setting', async () => {
  const empty = newDataDirectory();
  await assert.rejects(openHere(empty), /--data .*there is no store/);
  await assert.rejects(openHere(join(empty, 'nowhere')), /--data .*there is no store/);
  for (const name of ['countersign.db', 'master.key', 'nodes', 'nowhere']) {
    assert.equal(existsSync(join(empty, name)), false, name);
  }
  await withAuthority(async ({ data, context }) => {
    const before = names(await context.nodes.list());
    for (const wrong of ['staging', 'admin', '']) {
      await assert.rejects(openHere(data, wrong), /environment: .*sandbox, production/);
    }
    const settings = { COUNTERSIGN_DATA: data };
    const options = { environment: 'sandbox', service: 'two words', log: silent, settings };
    await assert.rejects(openAuthority(options), /service: expected/);
    const masterKey = Buffer.alloc(32, 9).toString('base64');
    await assert.rejects(
      openAuthority({
        ...{ ...options, service: 'here' },
        settings: { ...settings, COUNTERSIGN_MASTER_KEY: masterKey },
      }),
      (error: Error) =>
        /another master key/.test(error.message) && !error.message.includes(masterKey),
    );
    assert.deepEqual(names(await context.nodes.list()), before, 'no row is left behind');
  });
});
