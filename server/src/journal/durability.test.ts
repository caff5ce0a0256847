import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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

/** How often a process that appends `TOKENS` tokens one after another asked for a sync, or why that cannot be counted. */
function countSyncs(directory: string, synchronous: 'FULL' | 'OFF') {
  const report = `${directory}.strace`;
  const trace = ['-f', '-c', '-o', report, '-e', 'trace=fsync,fdatasync', process.execPath];
  const flags = ['--directory', directory, '--count', String(TOKENS), '--synchronous', synchronous];
  const traced = spawnSync('strace', [...trace, APPENDING_CHILD, ...flags], { encoding: 'utf8' });
  if (traced.error !== undefined) return 'strace is missing: install strace to count the syncs';
  if (/ptrace|not permitted/i.test(traced.stderr)) return 'strace may not trace: allow SYS_PTRACE';
  assert.equal(traced.status, 0, traced.stderr);
  assert.equal(storedJtis(directory).length, TOKENS);
  // % time, seconds, usecs/call, calls, errors (often blank), syscall
  const rows = readFileSync(report, 'utf8').matchAll(
    /^(?:\s*[\d.]+){3}\s+(\d+).*\s(?:fsync|fdatasync)$/gm,
  );
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

test('each commit is synced to the disk, and not without synchronous=FULL', (t) => {
  const folder = temporaryFolder(t);
  const full = countSyncs(join(folder, 'full'), 'FULL');
  if (typeof full === 'string') {
    assert.equal(process.env['CI'], undefined, full);
    t.diagnostic(full);
    return t.skip('the syncs cannot be counted on this machine');
  }
  const off = countSyncs(join(folder, 'off'), 'OFF');
  t.diagnostic(`${TOKENS} commits: ${full} syncs with FULL, ${off} with OFF`);
  assert.ok(full >= TOKENS, `${full} syncs for ${TOKENS} commits`);
  assert.ok(typeof off === 'number' && off < TOKENS / 10, `${off} syncs with synchronous=OFF`);
});
