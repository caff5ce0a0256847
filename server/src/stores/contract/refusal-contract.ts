/** What every store keeps of refused attempts: sums by hour, whoever counts them, for a time. Run once for each adapter. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type OpenKeyStore, using } from './key-contract.ts';

const HOUR_MS = 3_600_000;

export function refusalContract(name: string, open: OpenKeyStore): void {
  const withStore = using(open);
  const counted = (hour: number, client: number) => ({
    ...{ hour, client, environment: 1, secret: 0, reason: 'wrong-secret', address: '192.0.2.7' },
    ...{ count: 2, firstAtMs: hour * HOUR_MS + 100, lastAtMs: hour * HOUR_MS + 200 },
  });
  const inHour = (hour: number) => ({
    ...{ sinceMs: hour * HOUR_MS, untilMs: (hour + 1) * HOUR_MS - 1, limit: 100 },
  });

  describe(`the refusals of ${name}`, () => {
    test('counts of one thing add up, whichever node comes first, and read as they were written', () =>
      withStore(async (store) => {
        const head = (await store.log.poll(0)).head;
        await store.noteRefusals([]);
        await store.noteRefusals([counted(1_000, 7), counted(1_000, 8), counted(1_001, 7)]);
        const later = { ...counted(1_000, 7), firstAtMs: 1_000 * HOUR_MS + 50 };
        await store.noteRefusals([{ ...later, lastAtMs: 1_000 * HOUR_MS + 60 }]);
        assert.deepEqual(await store.directory.refusals({ ...inHour(1_000), client: 7 }), [
          { ...counted(1_000, 7), count: 4, firstAtMs: 1_000 * HOUR_MS + 50 },
        ]);
        const all = await store.directory.refusals({ ...inHour(1_000), untilMs: 1_002 * HOUR_MS });
        assert.deepEqual(all.map(({ hour, client }) => [hour, client]).sort(), [
          [1_000, 7],
          [1_000, 8],
          [1_001, 7],
        ]);
        assert.equal((await store.log.poll(0)).head, head, 'a refusal is no change');
      }));

    test('only what touches the span of time is told', () =>
      withStore(async (store) => {
        await store.noteRefusals([counted(1_000, 7)]);
        const at = (sinceMs: number, untilMs: number) =>
          store.directory.refusals({ client: 7, limit: 10, sinceMs, untilMs });
        const startMs = 1_000 * HOUR_MS;
        assert.equal((await at(startMs, startMs + 99)).length, 0);
        assert.equal((await at(startMs + 201, startMs + 900)).length, 0);
        assert.equal((await at(startMs + 150, startMs + 160)).length, 1);
      }));

    test('old counts leave, those that name no client first', () =>
      withStore(async (store) => {
        await store.noteRefusals([counted(4_000, 0), counted(4_000, 12)]);
        const left = async () =>
          (await store.directory.refusals(inHour(4_000))).map(({ client }) => client);
        await store.prune((4_000 + 29 * 24) * HOUR_MS);
        assert.equal((await left()).length, 2);
        await store.prune((4_000 + 31 * 24) * HOUR_MS);
        assert.deepEqual(await left(), [12]);
        await store.prune((4_000 + 401 * 24) * HOUR_MS);
        assert.deepEqual(await left(), []);
      }));
  });
}
