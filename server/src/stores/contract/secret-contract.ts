/** What every store must do with the lives of secrets: their ends, their latest uses, what is announced. Run once for each adapter. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Change, NewSecret } from '../../ports/store.ts';
import type { Store } from '../store.ts';
import { type OpenKeyStore, using } from './key-contract.ts';
import { commit, newSecret, onboard, refusal } from './sample-changes.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export function secretContract(name: string, open: OpenKeyStore): void {
  const withStore = using(open);

  describe(`the secrets of ${name}`, () => {
    test('the end of a secret can be put off, brought forward and cancelled while it lives', () =>
      withStore(async (store) => {
        const { secretId } = await onboardWithSecret(store, {
          expiresAtMs: 5_000,
          name: 'blue hosts',
        });
        const expiry = async () =>
          (await store.directory.secrets({ secretId })).map(({ expiresAtMs }) => expiresAtMs);
        for (const expiresAtMs of [9_000, 3_000, undefined, 4_000]) {
          const moved = await commit(store, { kind: 'secret.expire', secretId, expiresAtMs });
          assert.equal(moved.changed, true);
          assert.deepEqual(await expiry(), [expiresAtMs]);
        }
        const same = await commit(store, { kind: 'secret.expire', secretId, expiresAtMs: 4_000 });
        assert.equal(same.changed, false);
        assert.equal((await store.directory.secrets({ secretId }))[0]?.name, 'blue hosts');
      }));

    test('a secret that has ended is never brought back to life', () =>
      withStore(async (store) => {
        const { secretId } = await onboardWithSecret(store, { expiresAtMs: 5_000 });
        const forever: Change = { kind: 'secret.expire', secretId, expiresAtMs: undefined };
        await assert.rejects(commit(store, forever, 5_000), refusal('conflict'));
        const revoked = await onboardWithSecret(store);
        await commit(store, {
          kind: 'secret.revoke',
          secretId: revoked.secretId,
          killTokens: false,
        });
        const revive = { ...forever, secretId: revoked.secretId };
        await assert.rejects(commit(store, revive), refusal('conflict'));
      }));

    test('of many notes the latest use of each secret stays, and no credential is rewritten', () =>
      withStore(async (store) => {
        const [one, two] = [await onboardWithSecret(store), await onboardWithSecret(store)];
        const before = await store.log.loadClient(one.client);
        const head = (await store.log.poll(0)).head;
        await store.noteUses([]);
        await store.noteUses([
          { secret: two.secret, atMs: 2_000, address: '192.0.2.2' },
          { secret: one.secret, atMs: 2_000, address: '192.0.2.1' },
        ]);
        await store.noteUses([
          { secret: one.secret, atMs: 1_000, address: '192.0.2.9' },
          { secret: two.secret, atMs: 3_000, address: '2001:db8::2' },
        ]);
        const used = async (secretId: string) => {
          const [secret] = await store.directory.secrets({ secretId });
          return [secret?.lastUsedAtMs, secret?.lastUsedFrom];
        };
        assert.deepEqual(await used(one.secretId), [2_000, '192.0.2.1']);
        assert.deepEqual(await used(two.secretId), [3_000, '2001:db8::2']);
        assert.deepEqual(await store.log.loadClient(one.client), before);
        assert.equal((await store.log.poll(0)).head, head, 'a use is no change');
      }));

    test('a secret is found by its hash alone, with what it is at that moment', () =>
      withStore(async (store) => {
        const [macA, macB] = [Buffer.alloc(32, 0xa1), Buffer.alloc(32, 0xb2)];
        const one = await onboardWithSecret(store, { mac: macA });
        const two = await onboardWithSecret(store, { mac: macB, expiresAtMs: 5_000 });
        const found = async (atMs: number) =>
          (await store.directory.secretsByMac([macA, macB, Buffer.alloc(32, 0xcc)], atMs))
            .map(({ secretId, clientId, isLive, isExposed }) => [
              secretId,
              clientId,
              isLive,
              isExposed,
            ])
            .sort();
        assert.deepEqual(await store.directory.secretsByMac([], 0), []);
        const expected = (isLiveOne: boolean, isExposed: boolean, isLiveTwo: boolean) =>
          [
            [one.secretId, one.clientId, isLiveOne, isExposed],
            [two.secretId, two.clientId, isLiveTwo, false],
          ].sort();
        assert.deepEqual(await found(4_000), expected(true, false, true));
        await commit(store, { kind: 'secret.expose', secret: one.secret, where: 'leak-report' });
        assert.deepEqual(await found(5_000), expected(true, true, false));
        const { secretId } = one;
        await commit(store, { kind: 'secret.revoke', secretId, killTokens: false });
        assert.deepEqual(await found(4_000), expected(false, true, true));
        const [row] = await store.directory.secretsByMac([macB], 0);
        assert.deepEqual(Buffer.from(row?.mac ?? []), macB);
      }));

    test('a threshold is announced once, whoever notices it, and again only for another end', () =>
      withStore(async (store) => {
        const { secretId } = await onboardWithSecret(store, { expiresAtMs: 5 * DAY_MS });
        const announce = (days: number, expiresAtMs = 5 * DAY_MS) =>
          commit(store, { kind: 'secret.expiring', secretId, expiresAtMs, days });
        const seven = await Promise.all([announce(7), announce(7), announce(7)]);
        assert.equal(seven.filter(({ changed }) => changed).length, 1);
        assert.equal((await announce(14)).changed, false, 'too late for that');
        assert.equal((await announce(7, 6 * DAY_MS)).changed, false, 'not its end');
        assert.equal((await announce(1)).changed, true);
        const expiresAtMs = 6 * DAY_MS;
        await commit(store, { kind: 'secret.expire', secretId, expiresAtMs });
        assert.equal((await announce(7, expiresAtMs)).changed, true);
        const lines = await store.audit.lines({ limit: 100, action: 'secret.expiring' });
        assert.deepEqual(
          lines.map(({ target, detail }) => [target, detail['days']]),
          [
            [secretId, 7],
            [secretId, 1],
            [secretId, 7],
          ],
        );
      }));

    test('secrets that end soon are read in pages, with their successors and without the dead', () =>
      withStore(async (store) => {
        const [soon, later, never] = [
          await onboardWithSecret(store, { expiresAtMs: 2 * DAY_MS }),
          await onboardWithSecret(store, { expiresAtMs: 90 * DAY_MS }),
          await onboardWithSecret(store),
        ];
        const gone = await onboardWithSecret(store, { expiresAtMs: 3 * DAY_MS });
        await commit(store, { kind: 'client.delete', clientId: gone.clientId });
        const rotated = await onboardWithSecret(store);
        await commit(
          store,
          {
            kind: 'secret.rotate',
            clientId: rotated.clientId,
            secret: newSecret(),
            othersExpireAtMs: DAY_MS,
          },
          7_000,
        );
        const read = async (after: number, limit: number) => {
          const page = { fromMs: 1_000, untilMs: 30 * DAY_MS, after, limit };
          return (await store.directory.expiringSecrets(page)).map((secret) => [
            secret.secretId,
            secret.replacedAtMs,
          ]);
        };
        const all = await read(0, 10);
        assert.deepEqual(all, [
          [soon.secretId, undefined],
          [rotated.secretId, 7_000],
        ]);
        assert.deepEqual(await read(0, 1), all.slice(0, 1));
        assert.deepEqual(await read(soon.secret, 10), all.slice(1));
        assert.ok(!all.flat().includes(later.secretId) && !all.flat().includes(never.secretId));
      }));

    test('the secrets of a client come by pepper, so that each is hashed under once', () =>
      withStore(async (store, masterKeyCheck) => {
        const { clientId, client, secretId } = await onboardWithSecret(store);
        const key = { environment: 'sandbox', version: 2, wrapped: 'x', masterKeyCheck };
        await commit(store, { ...key, kind: 'key.rotate', purpose: 'secret' });
        const under = (pepperVersion: number): Change => ({
          kind: 'secret.create',
          clientId,
          secret: { ...newSecret(), pepperVersion },
        });
        await commit(store, under(2));
        await commit(store, { kind: 'secret.revoke', secretId, killTokens: false });
        await commit(store, under(1));
        const loaded = await store.log.loadClient(client);
        assert.deepEqual(
          loaded.client?.secrets.map(({ pepperVersion }) => pepperVersion),
          [2, 1, 1],
        );
      }));
  });
}

/** A client, and its secret by both its names. */
async function onboardWithSecret(store: Store, given: Partial<NewSecret> = {}) {
  const { clientId, ordinal, secretId } = await onboard(store, given);
  const [record] = await store.directory.secrets({ secretId });
  return { clientId, client: ordinal, secretId, secret: record?.ordinal ?? 0 };
}
