import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import {
  assertNameable,
  BUCKET_MS,
  bucketFile,
  bucketStart,
  dropBuckets,
  listBuckets,
} from './bucket-files.ts';
import { START_MS, temporaryFolder } from './testing/sample-journal.ts';

test('a bucket is named after its start and its slot, and found by that name', (t) => {
  const directory = temporaryFolder(t);
  const late = bucketFile(directory, START_MS + BUCKET_MS, '1');
  const early = bucketFile(directory, bucketStart(START_MS + 599_999, BUCKET_MS), 'node-b');
  assert.equal(basename(early.path), '2026-11-22T14-10Z.node-b.db');
  const strangers = ['notes.db', '2026-13-22T14-10Z.1.db', '2026-11-22T14-10Z.1.db.bak'];
  for (const name of strangers) writeFileSync(join(directory, name), '');
  for (const { path } of [late, early]) writeFileSync(path, '');
  writeFileSync(`${late.path}-wal`, '');
  assert.deepEqual(listBuckets(directory), [early, late]);
});

test('a folder that does not exist has no buckets', (t) => {
  assert.deepEqual(listBuckets(join(temporaryFolder(t), 'journal')), []);
});

test('retention removes buckets that ended by the limit, whole, and nothing else', (t) => {
  const directory = temporaryFolder(t);
  const names = [
    '2026-11-22T13-50Z.1.db',
    '2026-11-22T14-00Z.1.db',
    '2026-11-22T14-00Z.1.db-wal',
    '2026-11-22T14-00Z.2.db-shm',
    '2026-11-22T14-10Z.1.db',
    '2026-11-22T14-10Z.1.db-wal',
    'notes.db',
  ];
  for (const name of names) writeFileSync(join(directory, name), '');
  assert.equal(dropBuckets(directory, START_MS - 1), 1, 'a bucket one millisecond too young went');
  assert.equal(dropBuckets(directory, START_MS), 1);
  assert.deepEqual(readdirSync(directory).sort(), names.slice(4));
});

test('a slot that could leave the folder or pass for another one is refused', () => {
  for (const slot of ['', '../1', 'a.b', 'a/b', 'x'.repeat(33)]) {
    assert.throws(() => assertNameable(slot, BUCKET_MS), RangeError, slot);
  }
  assert.throws(() => assertNameable('1', 90_000), RangeError);
  assert.doesNotThrow(() => assertNameable('1', 60_000));
});
