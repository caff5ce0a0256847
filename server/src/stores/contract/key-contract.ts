/** What every store must do with root keys and the secrets under them: run once for each adapter, beside the store contract. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fact } from '../../ports/change-log.ts';
import { type KeyPurpose, TOKEN_KEY_REST_MS } from '../../ports/model.ts';
import type { Change, ChangeRefused, NewSecret } from '../../ports/store.ts';
import type { Store } from '../store.ts';

/** A store on fresh data, and the fingerprint of the master key that it was made under. */
export type OpenKeyStore = () => Promise<{ readonly store: Store; readonly check: string }>;

/** Opens a store for a test, and closes it. */
export const using =
  (open: OpenKeyStore) =>
  async (body: (store: Store, masterKeyCheck: string) => Promise<void>): Promise<void> => {
    const { store, check } = await open();
    try {
      await body(store, check);
    } finally {
      await store.close();
    }
  };

const SANDBOX = 'sandbox';
const DAY_MS = 24 * 60 * 60 * 1000;
let made = 0;

type World = { readonly store: Store; readonly check: string };

export function keyContract(name: string, open: OpenKeyStore): void {
  const withStore = async (body: (world: World) => Promise<void>): Promise<void> => {
    const world = await open();
    try {
      await body(world);
    } finally {
      await world.store.close();
    }
  };

  describe(`the keys of ${name}`, () => {
    test('of operators who add the next version at once, one does and the others are refused', () =>
      withStore(async (world) => {
        const added = await Promise.allSettled([1, 2, 3].map(() => rotate(world, 'token', 2)));
        assert.equal(added.filter(({ status }) => status === 'fulfilled').length, 1);
        for (const one of added) {
          if (one.status === 'rejected') assert.equal(one.reason.code, 'conflict');
        }
        assert.deepEqual(await versions(world, 'token'), [1, 2]);
        await assert.rejects(rotate(world, 'token', 4), refusal('conflict'));
      }));

    test('a key that was wrapped under another master key is refused: it would be lost', () =>
      withStore(async (world) => {
        const other = { ...world, check: '0123456789abcdef' };
        await assert.rejects(rotate(other, 'token', 2), refusal('conflict'));
        await assert.rejects(retireAll(other, 1, 2), refusal('conflict'));
        assert.deepEqual(await versions(world, 'token'), [1]);
      }));

    test('a token key is retired only when no token it sealed can be alive, and the newest never', () =>
      withStore(async (world) => {
        await assert.rejects(retire(world, 'token', 1), refusal('conflict'));
        await assert.rejects(retire(world, 'token', 9), refusal('not-found'));
        const rotatedAtMs = 1_000_000;
        await rotate(world, 'token', 2, rotatedAtMs);
        assert.ok(TOKEN_KEY_REST_MS > DAY_MS, 'longer than any token lives');
        const earliestMs = rotatedAtMs + TOKEN_KEY_REST_MS;
        await assert.rejects(retire(world, 'token', 1, earliestMs - 1), refusal('conflict'));
        assert.equal((await retire(world, 'token', 1, earliestMs)).changed, true);
        const { sequence, changed } = await retire(world, 'token', 1, earliestMs);
        assert.equal(sequence, (await world.store.log.poll(0)).head);
        assert.equal(changed, false);
        assert.deepEqual(await handedOut(world, 'token'), [2]);
        assert.deepEqual(await versions(world, 'token'), [1, 2], 'its number stays taken');
      }));

    test('a pepper is retired only when no live secret needs it', () =>
      withStore(async (world) => {
        const revoked = await onboard(world);
        const deleted = await onboard(world);
        await onboard(world, { expiresAtMs: 5_000 });
        const suspended = await onboard(world);
        await rotate(world, 'secret', 2);
        assert.equal(await needing(world, 1, 4_999), 4);
        await assert.rejects(retire(world, 'secret', 1, 4_999), /4 live secrets/);
        const { store } = world;
        await commit(store, {
          kind: 'secret.revoke',
          secretId: revoked.secretId,
          killTokens: false,
        });
        await commit(store, { kind: 'client.delete', clientId: deleted.clientId });
        await commit(store, { kind: 'client.suspend', clientId: suspended.clientId, reason: 'x' });
        assert.equal(await needing(world, 1, 5_000), 1);
        const { clientId, secretId } = suspended;
        await assert.rejects(
          retire(world, 'secret', 1, 5_000),
          new RegExp(`1 live secret needs .*${clientId}`),
        );
        assert.deepEqual(await handedOut(world, 'secret'), [1, 2], 'the refusal left no mark');
        await commit(store, { kind: 'secret.revoke', secretId, killTokens: false });
        await retire(world, 'secret', 1, 5_000);
        assert.deepEqual(await handedOut(world, 'secret'), [2]);
      }));

    test('an emergency leaves one token key, and touches no pepper, no secret and no other environment', () =>
      withStore(async (world) => {
        const { ordinal } = await onboard(world);
        await rotate(world, 'token', 2);
        const secrets = (await world.store.log.loadClient(ordinal)).client?.secrets;
        const before = await factsOf(world);
        const { sequence, changeId } = await retireAll(world, 1, 3);
        const after = await factsOf(world);
        const moved = (facts: readonly Fact[], from: readonly Fact[]) =>
          facts.filter((fact) => !from.some((one) => isSame(one, fact))).map(nameOf);
        assert.deepEqual(moved(before, after).sort(), [
          'environment 1',
          'key token 1/1',
          'key token 1/2',
        ]);
        assert.deepEqual(moved(after, before).sort(), ['environment 1', 'key token 1/3']);
        assert.deepEqual((await world.store.log.loadClient(ordinal)).client?.secrets, secrets);
        const [sandbox] = await world.store.directory.environments();
        assert.equal(sandbox?.generation, 1, 'what was being issued meanwhile dies with it');
        for (const leaked of [1, 2]) {
          const again = await retireAll(world, leaked, 4);
          assert.deepEqual(again, { sequence, changeId, changed: false });
        }
        await assert.rejects(retireAll(world, 9, 4), refusal('not-found'));
      }));

    test('whoever follows the log holds the keys that whoever loads a snapshot holds', () =>
      withStore(async (world) => {
        const loaded = await factsOf(world);
        const held = new Set(loaded.filter((fact) => fact.is === 'key').map(nameOf));
        const { head } = await world.store.log.poll(0);
        await rotate(world, 'secret', 2);
        await retire(world, 'secret', 1);
        await rotate(world, 'token', 2);
        await retireAll(world, 2, 3);
        for (const { facts } of (await world.store.log.poll(head)).changes) {
          for (const fact of facts) {
            if (fact.is === 'key') held.add(nameOf(fact));
            if (fact.is === 'key-retired') held.delete(nameOf({ ...fact, is: 'key' } as Fact));
          }
        }
        const snapshot = (await factsOf(world)).filter((fact) => fact.is === 'key').map(nameOf);
        assert.deepEqual([...held].sort(), snapshot.sort());
      }));

    test('a secret under a pepper that was retired meanwhile is refused', () =>
      withStore(async (world) => {
        await rotate(world, 'secret', 2);
        await retire(world, 'secret', 1);
        await assert.rejects(onboard(world, { pepperVersion: 1 }), refusal('conflict'));
        await onboard(world, { pepperVersion: 2 });
      }));

    test('a secret moves only from the hash that was compared with, and never to a pepper that is gone', () =>
      withStore(async (world) => {
        const { store } = world;
        const { ordinal } = await onboard(world);
        await rotate(world, 'secret', 2);
        await rotate(world, 'secret', 3);
        await retire(world, 'secret', 2);
        const [stored] = (await store.log.loadClient(ordinal)).client?.secrets ?? [];
        assert.ok(stored);
        const from = { mac: stored.mac, pepperVersion: 1 };
        const to = { mac: Buffer.alloc(32, 'n'), pepperVersion: 3 };
        const move = { environment: 1, secret: stored.ordinal, from, to };
        const { head } = await store.log.poll(0);
        const stays = [
          { ...move, from: { ...from, mac: Buffer.alloc(32, 'x') } },
          { ...move, from: { ...from, pepperVersion: 2 } },
          { ...move, to: { ...to, pepperVersion: 2 } },
          { ...move, to: { ...to, pepperVersion: 4 } },
          { ...move, environment: 2 },
          { ...move, secret: stored.ordinal + 1 },
        ];
        for (const one of stays) assert.equal(await store.moveSecret(one), false);
        await assert.rejects(store.moveSecret({ ...move, to: { ...to, mac: Buffer.alloc(0) } }));
        const [same] = (await store.log.loadClient(ordinal)).client?.secrets ?? [];
        assert.deepEqual(same, stored);
        assert.equal(await store.moveSecret(move), true);
        assert.equal(await store.moveSecret(move), false);
        const [after] = (await store.log.loadClient(ordinal)).client?.secrets ?? [];
        assert.deepEqual(
          { ...after, mac: Buffer.from(after?.mac ?? []) },
          { ...stored, mac: to.mac, pepperVersion: 3 },
        );
        assert.equal((await store.log.poll(0)).head, head, 'it is no change of the log');
        assert.equal(await needing(world, 1), 0);
      }));

    test('a rewrap replaces every wrapped key, in the log too, or nothing', () =>
      withStore(async (world) => {
        const { store, check } = world;
        await rotate(world, 'token', 2);
        await retireAll(world, 2, 3);
        const held = (await store.directory.keys(0)).map(({ wrapped }) => wrapped);
        const wrapped = held.map((before) => ({ before, after: `new ${before}` }));
        const rewrap: Change = { kind: 'key.rewrap', before: check, after: 'fedcba', wrapped };
        const before = await traces(world);
        const partial = { ...rewrap, wrapped: wrapped.slice(1) };
        await assert.rejects(commit(store, partial), refusal('conflict'));
        await assert.rejects(commit(store, { ...rewrap, before: 'x' }), refusal('conflict'));
        const { node } = store.takeNode();
        const row = { node, leaseMs: 1_000, version: '1', listen: 'l', process: 'p' };
        await store.nodes.register(row);
        await assert.rejects(commit(store, rewrap), /stop every server/);
        await store.nodes.leave(node);
        assert.deepEqual(await traces(world), before);
        await commit(store, rewrap);
        const text = JSON.stringify([
          await store.directory.keys(0),
          (await store.log.poll(0)).changes,
        ]);
        for (const one of held) {
          assert.ok(!text.includes(`"${one}"`));
          assert.ok(text.includes(`"new ${one}"`));
        }
        await assert.rejects(rotate(world, 'token', 4), refusal('conflict'));
        await rotate({ store, check: 'fedcba' }, 'token', 4);
      }));

    test('a webhook moves on only from where it was seen to stand, and a late failure does not put it off', () =>
      withStore(async (world) => {
        const { webhooks } = world.store;
        const webhookId = await createWebhook(world, 'wrapped-webhook');
        const from = { webhookId, cursor: 0, checkpointCursor: 0 };
        const to = { cursor: 4, checkpointCursor: 2 };
        const failure = { from, problem: 'HTTP 500', nextTryAtMs: 9_000 };
        await webhooks.failed(failure);
        await webhooks.failed(failure);
        const [failing] = await webhooks.list({ webhookId });
        assert.deepEqual([failing?.failures, failing?.nextTryAtMs], [2, 9_000]);
        const moves = [1, 2, 3].map(() => webhooks.advance({ from, to, deliveredAtMs: 2_000 }));
        assert.deepEqual((await Promise.all(moves)).toSorted(), [false, false, true]);
        await webhooks.failed(failure);
        const [moved] = await webhooks.list({ webhookId });
        assert.deepEqual(
          [moved?.cursor, moved?.checkpointCursor, moved?.failures, moved?.problem],
          [4, 2, 0, undefined],
        );
        await commit(world.store, { kind: 'webhook.delete', webhookId });
        assert.equal(await webhooks.advance({ from: { webhookId, ...to }, to: from }), false);
        await commit(world.store, { kind: 'webhook.delete', webhookId });
        const unknown = { kind: 'webhook.delete', webhookId: 'webhook_none' } as const;
        await assert.rejects(commit(world.store, unknown), refusal('not-found'));
      }));

    test('what is wrapped for the audit trail is refused under another master key, and a rewrap takes it along or does nothing', () =>
      withStore(async (world) => {
        const { store, check } = world;
        const key = { keyId: 'k1', publicKey: 'p', wrapped: 'wrapped-signing' };
        const create = { kind: 'audit-key.create', ...key, masterKeyCheck: check } as const;
        await assert.rejects(
          commit(store, { ...create, masterKeyCheck: 'x' }),
          refusal('conflict'),
        );
        await assert.rejects(createWebhook({ store, check: 'x' }, 'w'), refusal('conflict'));
        assert.equal((await commit(store, create)).changed, true);
        const second = { ...create, keyId: 'k2', wrapped: 'other' };
        assert.equal((await commit(store, second)).changed, false);
        await createWebhook(world, 'wrapped-webhook');
        const roots = (await store.directory.keys(0)).map(({ wrapped }) => wrapped);
        const rewrap = (held: readonly string[]) =>
          commit(store, {
            ...{ kind: 'key.rewrap', before: check, after: 'fedcba' },
            wrapped: held.map((before) => ({ before, after: `new ${before}` })),
          });
        for (const left of ['wrapped-signing', 'wrapped-webhook']) {
          await assert.rejects(rewrap([...roots, left]), refusal('conflict'));
        }
        await rewrap([...roots, 'wrapped-signing', 'wrapped-webhook']);
        const [signing, ...others] = await store.checkpoints.signingKeys();
        assert.deepEqual([signing?.wrapped, others.length], ['new wrapped-signing', 0]);
        assert.equal((await store.webhooks.list())[0]?.wrapped, 'new wrapped-webhook');
      }));
  });
}

function commit(store: Store, change: Change, atMs = 1_000) {
  return store.commit({ change, actor: 'test:contract', atMs });
}

function rotate(world: World, purpose: KeyPurpose, ...[version, atMs]: [number, number?]) {
  const key = { ...newKey(world, version), purpose };
  return commit(world.store, { kind: 'key.rotate', ...key }, atMs);
}

function retire(world: World, purpose: KeyPurpose, ...[version, atMs]: [number, number?]) {
  const key = { purpose, environment: SANDBOX, version };
  return commit(world.store, { kind: 'key.retire', ...key }, atMs);
}

async function createWebhook({ store, check }: World, wrapped: string): Promise<string> {
  made += 1;
  const webhookId = `webhook_${String(made).padStart(16, '0')}`;
  const about = { target: 'https://bank.example/', sends: 'audit', after: 0 } as const;
  const change = { kind: 'webhook.create', webhookId, wrapped, ...about } as const;
  await commit(store, { ...change, masterKeyCheck: check });
  return webhookId;
}

function retireAll(world: World, leaked: number, version: number) {
  const change = { ...newKey(world, version), leaked, reason: 'leaked' };
  return commit(world.store, { kind: 'key.retire-all', ...change });
}

function newKey({ check }: World, version: number) {
  made += 1;
  const wrapped = `wrapped-${version}-${made}`;
  return { environment: SANDBOX, version, wrapped, masterKeyCheck: check };
}

async function onboard({ store }: World, secret: Partial<NewSecret> = {}) {
  made += 1;
  const number = String(made).padStart(16, '0');
  const [programId, clientId, secretId] = [
    `program_${number}`,
    `client_test_${number}`,
    `sec_${number}`,
  ];
  await commit(store, { kind: 'program.create', programId, name: number });
  await commit(store, {
    kind: 'client.create',
    clientId,
    programId,
    environment: SANDBOX,
    name: 'server',
    scope: [],
    resources: [],
    allowIp: [],
    tokenLifetimeSeconds: 3600,
    resourceServer: false,
    secret: { secretId, mac: Buffer.alloc(32, made), pepperVersion: 1, hint: 'abcd', ...secret },
  });
  const [client] = await store.directory.clients({ clientId });
  return { clientId, secretId, ordinal: client?.ordinal ?? 0 };
}

async function sandboxKeys({ store }: World, purpose: KeyPurpose, atMs = 1_000) {
  const keys = await store.directory.keys(atMs);
  return keys.filter((key) => key.environment === SANDBOX && key.purpose === purpose);
}

async function versions(world: World, purpose: KeyPurpose): Promise<readonly number[]> {
  return (await sandboxKeys(world, purpose)).map(({ version }) => version);
}

/** Live secrets under a pepper of the sandbox. */
async function needing(world: World, ...[version, atMs]: [number, number?]) {
  const keys = await sandboxKeys(world, 'secret', atMs);
  return keys.find((key) => key.version === version)?.liveSecrets;
}

/** Versions that a node gets with a snapshot. */
async function handedOut(world: World, purpose: KeyPurpose): Promise<readonly number[]> {
  const facts = await factsOf(world);
  return facts
    .flatMap((fact) =>
      fact.is === 'key' && fact.purpose === purpose && fact.environment === 1 ? [fact.version] : [],
    )
    .sort((a, b) => a - b);
}

function factsOf({ store }: World): Promise<readonly Fact[]> {
  return store.log.snapshot(({ facts }) => [...facts]);
}

async function traces({ store }: World): Promise<unknown> {
  return {
    head: (await store.log.poll(0)).head,
    audit: await store.audit.head(),
    keys: await store.directory.keys(0),
  };
}

function isSame(one: Fact, other: Fact): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function nameOf(fact: Fact): string {
  if (fact.is === 'environment') return `environment ${fact.ordinal}`;
  if (fact.is !== 'key') return fact.is;
  return `key ${fact.purpose} ${fact.environment}/${fact.version}`;
}

function refusal(code: ChangeRefused['code']): { name: string; code: string } {
  return { name: 'ChangeRefused', code };
}
