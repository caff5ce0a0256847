import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { countSyncs } from '../testing/count-syncs.ts';
import { APPENDING_CHILD, killAndCompare } from './testing/kill-loop.ts';
import { storedJtis, temporaryFolder } from './testing/sample-journal.ts';

const ROUNDS = 4;
const TOKENS = 200;

test('every token acknowledged before a kill -9 is in the journal after it', async (t) => {
  const { acknowledged, missing } = await killAndCompare({
    directory: temporaryFolder(t),
    rounds: ROUNDS,
  });
  assert.ok(acknowledged >= ROUNDS);
  assert.deepEqual(missing, []);
});

test('negative control: answering before the commit loses acknowledged tokens', async (t) => {
  const { missing } = await killAndCompare({
    directory: temporaryFolder(t),
    rounds: 1,
    flags: ['--answer-before-commit'],
  });
  assert.ok(missing.length > 0, 'the kill loop did not notice a journal that answers too early');
});

/** The syncs of a process that appends `TOKENS` tokens one after another. */
function syncsOf(directory: string, synchronous: 'FULL' | 'OFF') {
  const flags = ['--directory', directory, '--count', String(TOKENS), '--synchronous', synchronous];
  const syncs = countSyncs([APPENDING_CHILD, ...flags], `${directory}.strace`);
  if (typeof syncs === 'number') assert.equal(storedJtis(directory).length, TOKENS);
  return syncs;
}

test('each commit is synced to the disk, and not without synchronous=FULL', (t) => {
  const folder = temporaryFolder(t);
  const full = syncsOf(join(folder, 'full'), 'FULL');
  if (typeof full === 'string') {
    assert.equal(process.env['CI'], undefined, full);
    t.diagnostic(full);
    return t.skip('the syncs cannot be counted on this machine');
  }
  const off = syncsOf(join(folder, 'off'), 'OFF');
  t.diagnostic(`${TOKENS} commits: ${full} syncs with FULL, ${off} with OFF`);
  assert.ok(full >= TOKENS, `${full} syncs for ${TOKENS} commits`);
  assert.ok(typeof off === 'number' && off < TOKENS / 10, `${off} syncs with synchronous=OFF`);
});
