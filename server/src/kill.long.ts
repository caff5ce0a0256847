/** The loop of kill.test.ts for as long as it takes to meet the rare moments: `npm run test:long`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killRounds } from './testing/kill-rounds.ts';

const STORES = 12;
/** Few enough that no client has a thousand tokens revoked, which would end all of its tokens. */
const KILLS_A_STORE = 5;

test('nothing that a client saw is lost in many kills', async (t) => {
  let seen = 0;
  let revoked = 0;
  for (let store = 0; store < STORES; store += 1) {
    const round = await killRounds(KILLS_A_STORE);
    const { missing, dead, revived } = round;
    assert.deepEqual({ missing, dead, revived }, { missing: [], dead: [], revived: [] });
    seen += round.seen;
    revoked += round.revoked;
  }
  t.diagnostic(`${STORES * KILLS_A_STORE} kills: ${seen} tokens, ${revoked} revocations seen`);
});
