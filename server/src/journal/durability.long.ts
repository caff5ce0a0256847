/** The long run of the kill -9 loop, for `npm run test:long`: hundreds of kills on one folder. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killAndCompare } from './testing/kill-loop.ts';
import { temporaryFolder } from './testing/sample-journal.ts';

const ROUNDS = 300;

test(`every token acknowledged before any of ${ROUNDS} kills is in the journal`, async (t) => {
  const { acknowledged, missing } = await killAndCompare({
    directory: temporaryFolder(t),
    rounds: ROUNDS,
  });
  t.diagnostic(
    `${acknowledged} tokens acknowledged in ${ROUNDS} rounds, ${missing.length} missing`,
  );
  assert.ok(acknowledged >= ROUNDS);
  assert.deepEqual(missing, []);
});
