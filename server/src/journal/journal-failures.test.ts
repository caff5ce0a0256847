import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { StoreUnavailable } from '../ports/store.ts';
import { BUCKET_MS, bucketFile } from './bucket-files.ts';
import { openJournal } from './journal.ts';
import { APPENDING_CHILD } from './testing/kill-loop.ts';
import {
  hex,
  numberedToken,
  START_MS,
  storedJtis,
  temporaryFolder,
} from './testing/sample-journal.ts';

/** Holds the lock that a commit needs, as a stuck process would. */
function lockBucket(path: string): () => void {
  const database = new DatabaseSync(path);
  database.exec('BEGIN IMMEDIATE');
  return () => database.close();
}

const clock = { wallMs: () => START_MS };

test('a folder that cannot be one is refused at opening, by name', async (t) => {
  const directory = join(temporaryFolder(t), 'journal');
  writeFileSync(directory, 'a file');
  await assert.rejects(openJournal({ directory, slot: '1' }), (error) => {
    assert.ok(error instanceof StoreUnavailable);
    return error.message.includes(directory);
  });
});

test('a journal of a newer release is refused at opening and left as it is', async (t) => {
  const directory = temporaryFolder(t);
  const { path } = bucketFile(directory, START_MS, '1');
  const newer = new DatabaseSync(path);
  newer.exec('CREATE TABLE tokens (other TEXT); PRAGMA user_version = 2');
  newer.close();
  await assert.rejects(openJournal({ directory, slot: '1' }), /schema 2.*run the newer release/);
  const untouched = new DatabaseSync(path);
  const { sql } = { ...untouched.prepare('SELECT sql FROM sqlite_schema').get() };
  untouched.close();
  assert.equal(sql, 'CREATE TABLE tokens (other TEXT)');
});

test('while no bucket can be opened tokens are refused, and taken again as soon as one can', async (t) => {
  const directory = join(temporaryFolder(t), 'journal');
  let nowMs = START_MS;
  const journal = await openJournal({ directory, slot: '1', clock: { wallMs: () => nowMs } });
  await journal.append(numberedToken(1));
  renameSync(directory, `${directory}-away`);
  writeFileSync(directory, 'a file');
  nowMs += BUCKET_MS;
  await assert.rejects(journal.append(numberedToken(2)), StoreUnavailable);
  await assert.rejects(journal.append(numberedToken(3)), StoreUnavailable);
  rmSync(directory);
  renameSync(`${directory}-away`, directory);
  await journal.append(numberedToken(4));
  await journal.close();
  assert.deepEqual(
    storedJtis(directory),
    [1, 4].map((number) => hex(numberedToken(number))),
  );
});

test('a commit that does not return is not waited for, and what follows is refused until it does', async (t) => {
  const directory = temporaryFolder(t);
  const journal = await openJournal({ directory, slot: '1', clock, commitWaitMs: 100 });
  await journal.append(numberedToken(1));
  const unlock = lockBucket(bucketFile(directory, START_MS, '1').path);
  await assert.rejects(journal.append(numberedToken(2)), /did not return/);
  await assert.rejects(journal.append(numberedToken(3)), StoreUnavailable);
  unlock();
  const isTaken = () =>
    journal.append(numberedToken(4)).then(
      () => true,
      () => false,
    );
  while (!(await isTaken())) await new Promise((resolve) => setTimeout(resolve, 10));
  await journal.close();
  const stored = storedJtis(directory);
  for (const number of [1, 4]) assert.ok(stored.includes(hex(numberedToken(number))));
  assert.ok(!stored.includes(hex(numberedToken(3))));
});

test('when the thread dies who waits is refused; it is started again, but not for ever', async (t) => {
  const directory = temporaryFolder(t);
  const threads: Worker[] = [];
  const collect = (worker: Worker): void => void threads.push(worker);
  process.on('worker', collect);
  t.after(() => process.off('worker', collect));
  const troubles: string[] = [];
  const onTrouble = (message: string): void => void troubles.push(message);
  const journal = await openJournal({ directory, slot: '1', clock, onTrouble });
  await journal.append(numberedToken(1));
  const unlock = lockBucket(bucketFile(directory, START_MS, '1').path);
  const waiting = journal.append(numberedToken(2));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  await Promise.all([assert.rejects(waiting, StoreUnavailable), threads[0]?.terminate()]);
  unlock();
  await journal.append(numberedToken(3));
  for (let deaths = 0; deaths < 4; deaths += 1) {
    await threads.at(-1)?.terminate();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await assert.rejects(journal.append(numberedToken(4)), StoreUnavailable);
  assert.equal(troubles.length, 5);
  await journal.close();
  assert.deepEqual(
    storedJtis(directory),
    [1, 3].map((number) => hex(numberedToken(number))),
  );
});

const canLimitFiles = spawnSync('prlimit', ['--version']).error === undefined;
const noLimits = 'prlimit is missing: install util-linux to fill a disk in a test';

test('a full disk refuses tokens, loses none that it acknowledged, and goes on when there is room', {
  skip: canLimitFiles ? false : noLimits,
}, async (t) => {
  const directory = join(temporaryFolder(t), 'journal');
  mkdirSync(directory);
  // A soft limit on the size of a file stands in for the full disk: SQLite sees a write that fails.
  const limited = 'ulimit -S -f 256 && exec "$0" "$@"';
  const program = [process.execPath, APPENDING_CHILD, '--directory', directory, '--callers', '16'];
  const child = spawn('bash', ['-c', limited, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    printed += text;
  });
  const until = async (isReached: () => boolean): Promise<void> => {
    while (!isReached()) await once(child.stdout, 'data');
  };
  await until(() => printed.split('refused\n').length > 200);
  spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
  const full = printed.length;
  await until(() => /^[0-9a-f]{24}$/m.test(printed.slice(full)));
  child.stdin.end();
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  const acknowledged = printed.split('\n').filter((line) => /^[0-9a-f]{24}$/.test(line));
  const stored = new Set(storedJtis(directory));
  assert.deepEqual(
    acknowledged.filter((jti) => !stored.has(jti)),
    [],
  );
});
