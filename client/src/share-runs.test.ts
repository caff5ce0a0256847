import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareRuns } from './share-runs.ts';

test('all who ask while a run is under way share it, and its failure; whoever asks after it begins another', async () => {
  let runs = 0;
  const shared = shareRuns(
    async () => {
      runs += 1;
      await Promise.resolve();
      throw new Error(`run ${runs}`);
    },
    () => 0,
  );
  const failures = await Promise.allSettled([shared(), shared(), shared()]);
  assert.ok(failures.every((it) => it.status === 'rejected' && it.reason.message === 'run 1'));
  await assert.rejects(shared(), /run 2/);
});

test('a run that never ends, as its runtime dropped it, holds up nobody for good', async () => {
  let now = 0;
  const results: ((result: string) => void)[] = [];
  const shared = shareRuns(
    () => new Promise<string>((resolve) => results.push(resolve)),
    () => now,
  );
  void shared();
  now = 60_000;
  void shared();
  assert.equal(results.length, 1, 'a patient run is not given up');
  now = 121_000;
  const later = shared();
  assert.equal(results.length, 2);
  results[0]?.('late');
  results[1]?.('in time');
  assert.equal(await later, 'in time');
});
