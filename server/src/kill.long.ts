/** The loop of kill.test.ts for as long as it takes to meet the rare moments: `npm run test:long`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killRounds } from './testing/kill-rounds.ts';

const ROUNDS = 60;

test('nothing that a client saw is lost in many kills', async (t) => {
  const { seen, revoked, missing, dead, revived } = await killRounds(ROUNDS);
  t.diagnostic(`${ROUNDS} kills: ${seen} tokens seen, ${revoked} revocations seen`);
  assert.deepEqual({ missing, dead, revived }, { missing: [], dead: [], revived: [] });
});
