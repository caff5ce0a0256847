/** What every store must do with the roster of duties, with what is told of its audit trail, and with the trail's time. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditHash } from '../../ports/audit-chain.ts';
import type { Store } from '../store.ts';
import type { OpenStore } from './store-contract.ts';

const EVERY_MS = 10_000;
const HOLD_MS = 3_000;
const claimOf = (node: string, atMs: number) => ({
  duty: 'sweep',
  node,
  atMs,
  everyMs: EVERY_MS,
  holdMs: HOLD_MS,
});

export function dutyContract(name: string, open: OpenStore, newData: () => string): void {
  const withStore = async (body: (store: Store) => Promise<void>): Promise<void> => {
    const store = await open(newData());
    try {
      await body(store);
    } finally {
      await store.close();
    }
  };

  describe(name, () => {
    test('of many nodes that claim a duty at once one gets it, the first time and later', () =>
      withStore(async ({ duties }) => {
        for (const atMs of [1_000, 1_000 + HOLD_MS]) {
          const claims = await Promise.all(
            Array.from({ length: 8 }, (_, index) => duties.claim(claimOf(`node-${index}`, atMs))),
          );
          assert.equal(claims.filter((claim) => claim !== undefined).length, 1);
        }
      }));

    test('a duty that is held is nobody else’s until its claim ends, or its end frees it', () =>
      withStore(async ({ duties }) => {
        assert.deepEqual(await duties.claim(claimOf('a', 1_000)), { failures: 0 });
        assert.equal(await duties.claim(claimOf('b', 999 + HOLD_MS)), undefined);
        assert.equal(
          await duties.extend({ duty: 'sweep', node: 'a', atMs: 3_000, holdMs: HOLD_MS }),
          true,
        );
        assert.equal(await duties.claim(claimOf('b', 1_000 + HOLD_MS)), undefined);
        const end = { duty: 'sweep', node: 'a', atMs: 5_000, freeAtMs: 11_000 };
        await duties.end({ ...end, outcome: 'done' });
        assert.equal(await duties.claim(claimOf('b', 10_999)), undefined);
        assert.deepEqual(await duties.claim(claimOf('b', 11_000)), { failures: 0 });
        assert.equal(
          await duties.extend({ duty: 'sweep', node: 'a', atMs: 11_001, holdMs: HOLD_MS }),
          false,
        );
      }));

    test('failures are counted until a run ends well, and the time of that run is kept', () =>
      withStore(async ({ duties }) => {
        const end = { duty: 'sweep', node: 'a' };
        await duties.claim(claimOf('a', 1_000));
        await duties.end({ ...end, atMs: 1_001, freeAtMs: 1_001, outcome: { problem: 'no disk' } });
        assert.deepEqual(await duties.claim(claimOf('a', 2_000)), { failures: 1 });
        await duties.end({ ...end, atMs: 2_001, freeAtMs: 2_001, outcome: 'cut-off' });
        const [failing] = await duties.list();
        assert.equal(failing?.problem, 'no disk');
        assert.equal(failing?.endedAtMs, undefined);
        await duties.claim(claimOf('a', 3_000));
        await duties.end({ ...end, atMs: 3_001, freeAtMs: 3_001, outcome: 'done' });
        assert.deepEqual(await duties.list(), [
          {
            duty: 'sweep',
            everyMs: EVERY_MS,
            holder: 'a',
            startedAtMs: 3_000,
            endedAtMs: 3_001,
            failures: 0,
          },
        ]);
      }));

    test('who has lost a duty cannot end it for the one who has it', () =>
      withStore(async ({ duties }) => {
        await duties.claim(claimOf('a', 1_000));
        await duties.claim(claimOf('b', 1_000 + HOLD_MS));
        const late = { duty: 'sweep', node: 'a', atMs: 4_001, freeAtMs: 4_001 };
        await duties.end({ ...late, outcome: 'done' });
        assert.equal(await duties.claim(claimOf('c', 4_002)), undefined);
        assert.equal((await duties.list())[0]?.endedAtMs, undefined);
      }));

    test('a claim by a clock that ran a day ahead stops nothing for a day', () =>
      withStore(async ({ duties }) => {
        await duties.claim(claimOf('a', 86_400_000));
        assert.deepEqual(await duties.claim(claimOf('b', 1_000)), { failures: 0 });
      }));

    test('of a line there is one checkpoint, the first; they are listed in order, from anywhere', () =>
      withStore(async ({ checkpoints }) => {
        const checkpoint = { hash: 'h', atMs: 1, incarnation: 'i', keyId: 'k', signature: 's' };
        assert.equal(await checkpoints.latest(), undefined);
        for (const sequence of [3, 9, 5]) await checkpoints.add({ ...checkpoint, sequence });
        await checkpoints.add({ ...checkpoint, sequence: 9, hash: 'other' });
        assert.deepEqual(await checkpoints.latest(), { ...checkpoint, sequence: 9 });
        const after = await checkpoints.list({ after: 3, limit: 10 });
        assert.deepEqual(
          after.map(({ sequence, hash }) => [sequence, hash]),
          [
            [5, 'h'],
            [9, 'h'],
          ],
        );
        assert.equal((await checkpoints.list({ after: 0, limit: 2 })).length, 2);
      }));

    test('time never goes back from one audit line to the next, though the wall clock does', () =>
      withStore(async (store) => {
        const { sequence: made } = await store.audit.head();
        const far = Date.now() + 3_600_000;
        const at = [far, far - 60_000, far + 1, 0, far];
        for (const [index, atMs] of at.entries()) {
          const line = { actor: 'test "atMs":1,', target: 'x', detail: { atMs: 2 } };
          if (index % 2 === 0) await store.record({ ...line, atMs, action: 'receipt' });
          else {
            const change = {
              kind: 'program.create',
              programId: `program_${index}`,
              name: 'P',
            } as const;
            await store.commit({ change, actor: line.actor, atMs });
          }
        }
        const lines = await store.audit.lines({ after: made, limit: 10 });
        const times = lines.map(({ atMs }) => atMs - far);
        assert.deepEqual(times, [0, 0, 1, 1, 1]);
        assert.deepEqual(
          lines.map(({ actor, detail }) => [actor, detail['atMs']]),
          at.map((_, index) => ['test "atMs":1,', index % 2 === 0 ? 2 : undefined]),
        );
        let hash = '';
        for (const link of await store.audit.chain({ after: 0, limit: 100 })) {
          assert.equal(link.hash, auditHash(hash, link.sequence, link.line));
          hash = link.hash;
        }
        assert.equal(hash, (await store.audit.head()).hash);
      }));
  });
}
