import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killRounds } from './testing/kill-rounds.ts';

test('every token whose 200 was seen before a kill -9 is on record after it and verifies; every revoked one stays dead', async () => {
  const { seen, revoked, missing, dead, revived } = await killRounds(3);
  assert.ok(seen > 0 && revoked > 0, `${seen} tokens seen, ${revoked} revoked`);
  assert.deepEqual({ missing, dead, revived }, { missing: [], dead: [], revived: [] });
});
