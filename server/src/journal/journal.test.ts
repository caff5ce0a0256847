import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IssuedToken } from '../ports/journal.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { openForReading } from './bucket-database.ts';
import { BUCKET_MS, bucketFile } from './bucket-files.ts';
import { openJournal, QUEUE_TOKENS_MAX } from './journal.ts';
import {
  hex,
  numberedToken,
  START_MS,
  storedJtis,
  temporaryFolder,
} from './testing/sample-journal.ts';

function steppingClock(): { wallMs: () => number; nowMs: number } {
  const clock = { nowMs: START_MS, wallMs: () => clock.nowMs };
  return clock;
}

function indexesOf(path: string): number {
  const database = openForReading(path);
  const count = database?.prepare('PRAGMA index_list(tokens)').all().length ?? -1;
  database?.close();
  return count;
}

test('every acknowledged token is in the file, once, in the order of the calls', async (t) => {
  const directory = join(temporaryFolder(t), 'made', 'journal');
  const journal = await openJournal({ directory, slot: '1' });
  const tokens = Array.from({ length: 3_000 }, (_, number) => numberedToken(number));
  await Promise.all(tokens.map((token) => journal.append(token)));
  assert.deepEqual(storedJtis(directory), tokens.map(hex));
  await journal.close();
  assert.deepEqual(storedJtis(directory), tokens.map(hex));
});

test('tokens that are asked for together share a commit', async (t) => {
  const journal = await openJournal({ directory: temporaryFolder(t), slot: '1' });
  const call = async (caller: number): Promise<void> => {
    for (let turn = 0; turn < 25; turn += 1)
      await journal.append(numberedToken(caller * 25 + turn));
  };
  await Promise.all(Array.from({ length: 32 }, (_, caller) => call(caller)));
  assert.equal(journal.counts.tokens, 800);
  assert.ok(journal.counts.batches <= 100, `${journal.counts.batches} batches for 800 tokens`);
  await journal.close();
});

test('a bucket gets its index when the next one opens, and the open one has none', async (t) => {
  const directory = temporaryFolder(t);
  const clock = steppingClock();
  const journal = await openJournal({ directory, slot: '1', clock });
  await journal.append(numberedToken(1));
  const first = bucketFile(directory, START_MS, '1').path;
  const second = bucketFile(directory, START_MS + 3 * BUCKET_MS, '1').path;
  assert.equal(indexesOf(first), 0);
  clock.nowMs += 3 * BUCKET_MS;
  await journal.append(numberedToken(2));
  while (indexesOf(first) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(indexesOf(second), 0);
  await journal.close();
  assert.equal(indexesOf(second), 1);
  const names = ['2026-11-22T14-10Z.1.db', '2026-11-22T14-40Z.1.db'];
  assert.deepEqual(
    readdirSync(directory).sort(),
    names,
    'empty buckets have no file, closed ones one',
  );
});

test('a bucket that a killed process left behind is closed by the next opening', async (t) => {
  const directory = temporaryFolder(t);
  const clock = steppingClock();
  let committing: { terminate(): Promise<number> } | undefined;
  process.once('worker', (worker) => {
    committing = worker;
  });
  const killed = await openJournal({ directory, slot: '1', clock });
  await killed.append(numberedToken(1));
  await committing?.terminate();
  const path = bucketFile(directory, START_MS, '1').path;
  assert.equal(indexesOf(path), 0);
  clock.nowMs += BUCKET_MS;
  const next = await openJournal({ directory, slot: '1', clock });
  await next.close();
  assert.equal(indexesOf(path), 1);
  assert.deepEqual(storedJtis(directory), [hex(numberedToken(1))]);
  await killed.close();
});

test('a clock that is set back loses nothing: the earlier bucket takes rows again', async (t) => {
  const directory = temporaryFolder(t);
  const clock = steppingClock();
  const journal = await openJournal({ directory, slot: '1', clock });
  for (const [number, nowMs] of [START_MS, START_MS + BUCKET_MS, START_MS].entries()) {
    clock.nowMs = nowMs;
    await journal.append(numberedToken(number));
  }
  await journal.close();
  const inBucketOrder = [0, 2, 1].map((number) => hex(numberedToken(number)));
  assert.deepEqual(storedJtis(directory), inBucketOrder);
});

test('retention drops whole buckets at a bucket change and keeps the younger ones', async (t) => {
  const directory = temporaryFolder(t);
  const clock = steppingClock();
  const retentionMs = 2 * BUCKET_MS;
  const journal = await openJournal({ directory, slot: '1', clock, retentionMs });
  for (let bucket = 0; bucket < 4; bucket += 1) {
    clock.nowMs = START_MS + bucket * BUCKET_MS;
    await journal.append(numberedToken(bucket));
  }
  await journal.close();
  const names = ['2026-11-22T14-20Z.1.db', '2026-11-22T14-30Z.1.db', '2026-11-22T14-40Z.1.db'];
  assert.deepEqual(readdirSync(directory).sort(), names);
});

test('beyond the bound of the queue a token is refused, and those before it are kept', async (t) => {
  const directory = temporaryFolder(t);
  const journal = await openJournal({ directory, slot: '1' });
  const accepted: Promise<void>[] = [];
  for (let number = 0; number < QUEUE_TOKENS_MAX; number += 1) {
    accepted.push(journal.append(numberedToken(number)));
  }
  await assert.rejects(journal.append(numberedToken(QUEUE_TOKENS_MAX)), StoreUnavailable);
  await Promise.all(accepted);
  await journal.append(numberedToken(QUEUE_TOKENS_MAX + 1));
  await journal.close();
  const stored = storedJtis(directory);
  assert.equal(stored.length, QUEUE_TOKENS_MAX + 1);
  assert.ok(!stored.includes(hex(numberedToken(QUEUE_TOKENS_MAX))));
});

test('a token that no column can hold is refused alone; those beside it are committed', async (t) => {
  const directory = temporaryFolder(t);
  const journal = await openJournal({ directory, slot: '1' });
  const wrong: IssuedToken = numberedToken(2, { client: 2 ** 32 });
  const [before, refused, after] = await Promise.allSettled([
    journal.append(numberedToken(1)),
    journal.append(wrong),
    journal.append(numberedToken(3)),
  ]);
  assert.deepEqual(
    [before.status, refused.status, after.status],
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await journal.close();
  assert.deepEqual(storedJtis(directory), [hex(numberedToken(1)), hex(numberedToken(3))]);
});

test('closing commits what is under way, and nothing is taken afterwards', async (t) => {
  const directory = temporaryFolder(t);
  const journal = await openJournal({ directory, slot: '1' });
  const underWay = [1, 2, 3].map((number) => journal.append(numberedToken(number)));
  await Promise.all([journal.close(), journal.close()]);
  await Promise.all(underWay);
  await assert.rejects(journal.append(numberedToken(4)), StoreUnavailable);
  assert.equal(storedJtis(directory).length, 3);
});

test('an idle journal does not keep its process alive, a waiting caller does', (t) => {
  const directory = temporaryFolder(t);
  const [journal, sample] = ['./journal.ts', './testing/sample-journal.ts'].map((path) =>
    JSON.stringify(new URL(path, import.meta.url).href),
  );
  const script = join(temporaryFolder(t), 'append-once.mjs');
  writeFileSync(
    script,
    `import { openJournal } from ${journal};
    import { numberedToken } from ${sample};
    const journal = await openJournal({ directory: ${JSON.stringify(directory)}, slot: '1' });
    journal.append(numberedToken(1)).then(() => process.stdout.write('acknowledged'));`,
  );
  const child = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 20_000 });
  assert.deepEqual([child.status, child.stdout, child.stderr], [0, 'acknowledged', '']);
  assert.deepEqual(storedJtis(directory), [hex(numberedToken(1))]);
});
