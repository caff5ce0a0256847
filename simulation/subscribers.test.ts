import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSubscriberHistory, SUBSCRIBER_BUGS, type SubscriberBug } from './subscribers.ts';

const HISTORIES = 60;
const SEEDS_MAX = 60;

test('whatever the network and the clocks do, nothing killed counts once it is settled, and all of it settles', async () => {
  let [remembered, kills] = [0, 0];
  for (let seed = 1; seed <= HISTORIES; seed += 1) {
    const outcome = await runSubscriberHistory(seed);
    assert.deepEqual(outcome.broken, [], `seed ${seed}`);
    remembered += outcome.remembered;
    kills += outcome.kills;
  }
  assert.ok(kills > HISTORIES, 'histories in which something dies');
  assert.ok(remembered > 100 * HISTORIES, 'verifiers that decide by what they remember');
});

for (const bug of Object.keys(SUBSCRIBER_BUGS) as SubscriberBug[]) {
  test(`a verifier or a node with the bug ${bug} is found out`, async () => {
    for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
      if ((await runSubscriberHistory(seed, bug)).broken.length > 0) return;
    }
    assert.fail(SUBSCRIBER_BUGS[bug]);
  });
}
