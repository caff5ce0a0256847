import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { oneAtATime } from './one-at-a-time.ts';

test('whoever asks in the same step as one for whom there was nothing to do is served', async () => {
  let wanted = 0;
  let done = 0;
  const work = oneAtATime(() => {
    if (wanted > 0) done = wanted;
    return Promise.resolve();
  });
  // As the confirmations of two subscribers come, which are decided together: only with the second there is something to record.
  work.ask();
  wanted = 1;
  work.ask();
  await turn();
  assert.equal(done, 1);
});

test('runs never overlap, and what is asked during one is done by one more', async () => {
  let running = 0;
  let runs = 0;
  const work = oneAtATime(async () => {
    running += 1;
    runs += 1;
    assert.equal(running, 1);
    await turn();
    running -= 1;
  });
  for (let count = 0; count < 5; count += 1) work.ask();
  await work.idle();
  assert.equal(runs, 2);
  work.ask();
  await work.idle();
  assert.equal(runs, 3);
});
