/** What every store must do with the settings and quotas of clients. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientSettings, Committed } from '../../ports/store.ts';
import type { Store } from '../store.ts';
import { commit, onboard, refusal } from './sample-changes.ts';

export type WithStore = (body: (store: Store, data: string) => Promise<void>) => Promise<void>;

export function clientContract(withStore: WithStore): void {
  test('what narrows a client raises its generation, what widens it does not, and nothing is written for nothing', () =>
    withStore(async (store) => {
      const { clientId } = await onboard(store);
      const generation = async (): Promise<number | undefined> =>
        (await store.directory.clients({ clientId }))[0]?.generation;
      const set = (set: ClientSettings, keepTokens = false): Promise<Committed> =>
        commit(store, { kind: 'client.update', clientId, set, keepTokens });
      const narrowing: ClientSettings[] = [
        { allowIp: ['192.0.2.0/24', '10.0.0.0/8'] },
        { allowIp: ['10.0.0.0/8'] },
        { verifyAddress: true },
        { tokenLifetimeSeconds: 60 },
      ];
      for (const [index, settings] of narrowing.entries()) {
        assert.equal((await set(settings)).changed, true);
        assert.equal(await generation(), index + 1, JSON.stringify(settings));
        assert.equal((await set(settings)).changed, false);
      }
      const harmless: ClientSettings[] = [
        { name: 'other' },
        { allowIp: [] },
        { verifyAddress: false },
        { tokenLifetimeSeconds: 3600 },
        { tokenQuota: { perHour: 5, enforced: true } },
        { tokenQuota: 'none' },
      ];
      for (const settings of harmless) assert.equal((await set(settings)).changed, true);
      await set({ tokenLifetimeSeconds: 30 }, true);
      assert.equal(await generation(), narrowing.length);
      await assert.rejects(set({ scope: ['never:declared'] }), refusal('invalid'));
    }));

  test('each node learns what the others have given of a quota, in that hour alone', () =>
    withStore(async (store) => {
      const share = (node: string, hour: number, tokens: number) =>
        store.shareQuota({ node, hour, uses: [{ client: 7, tokens }] });
      assert.deepEqual(await share('a', 100, 3), []);
      assert.deepEqual(await share('b', 100, 2), [{ client: 7, tokens: 3 }]);
      assert.deepEqual(await share('a', 100, 5), [{ client: 7, tokens: 2 }]);
      assert.deepEqual(await share('c', 100, 1), [{ client: 7, tokens: 7 }]);
      assert.deepEqual(await share('b', 101, 1), []);
      assert.deepEqual(await share('b', 103, 1), []);
    }));
}
