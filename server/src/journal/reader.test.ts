import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IssuedToken } from '../ports/journal.ts';
import { BUCKET_MS, bucketFile } from './bucket-files.ts';
import { openJournal } from './journal.ts';
import { openJournalReader } from './reader.ts';
import { numberedToken, START_MS, temporaryFolder } from './testing/sample-journal.ts';

/** Appends `tokens` through one slot, each in the bucket of its own issued-at. */
async function write(directory: string, slot: string, tokens: readonly IssuedToken[]) {
  const clock = { nowMs: START_MS, wallMs: () => clock.nowMs };
  const journal = await openJournal({ directory, slot, clock });
  for (const token of tokens) {
    clock.nowMs = token.issuedAtMs;
    await journal.append(token);
  }
  return journal;
}

const at = (number: number, minutes: number, fields: Partial<IssuedToken> = {}): IssuedToken =>
  numberedToken(number, { issuedAtMs: START_MS + minutes * 60_000, ...fields });

const numbers = (tokens: readonly IssuedToken[]): readonly number[] =>
  tokens.map(({ jti }) => Buffer.from(jti).readUInt32BE(8));

test('a token comes back whole, and only for its own client', async (t) => {
  const directory = temporaryFolder(t);
  const token = numberedToken(1, {
    client: 0xffff_ffff,
    generation: 0xffff_fffd,
    secret: 0xffff_fffe,
    scopeSet: 0,
    resource: 65_535,
    issuedAtMs: START_MS + 123,
    lifetimeSeconds: 86_400,
    address: '2001:db8::7',
  });
  const journal = await write(directory, '1', [token, numberedToken(2)]);
  const reader = openJournalReader({ directory });
  const [found, ...others] = await reader.list({ client: token.client, sinceMs: 0, limit: 10 });
  assert.deepEqual({ ...found, jti: Buffer.from(found?.jti ?? []) }, token);
  assert.deepEqual(others, []);
  assert.deepEqual(await reader.list({ client: 8, sinceMs: 0, limit: 10 }), []);
  await journal.close();
});

test('tokens of all slots, closed and open buckets, come newest first, as many as asked for', async (t) => {
  const directory = temporaryFolder(t);
  const one = await write(directory, '1', [at(1, 0), at(3, 11), at(5, 12), at(7, 35)]);
  const two = await write(directory, '2', [at(2, 1), at(4, 11.5), at(6, 20)]);
  await two.close();
  const reader = openJournalReader({ directory });
  const list = async (sinceMs: number, limit: number) =>
    numbers(await reader.list({ client: 7, sinceMs, limit }));
  assert.deepEqual(await list(0, 100), [7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(await list(0, 3), [7, 6, 5]);
  assert.deepEqual(await list(START_MS + 11.5 * 60_000, 100), [7, 6, 5, 4]);
  assert.deepEqual(await list(START_MS + 36 * 60_000, 100), []);
  await one.close();
  assert.deepEqual(await list(0, 4), [7, 6, 5, 4]);
  const within = async (sinceMinutes: number, untilMinutes: number) => {
    const [sinceMs, untilMs] = [sinceMinutes, untilMinutes].map((min) => START_MS + min * 60_000);
    return numbers(
      await reader.list({ client: 7, sinceMs: sinceMs ?? 0, untilMs: untilMs ?? 0, limit: 100 }),
    );
  };
  assert.deepEqual(await within(1, 11.5), [4, 3, 2], 'both ends included');
  assert.deepEqual(await within(12, 12), [5]);
  assert.deepEqual(await within(12.1, 19), []);
});

test('a token that was committed one bucket after it was issued is neither missed nor out of order', async (t) => {
  const directory = temporaryFolder(t);
  const clock = { nowMs: START_MS, wallMs: () => clock.nowMs };
  const journal = await openJournal({ directory, slot: '1', clock });
  await journal.append(at(2, 9.5));
  clock.nowMs += BUCKET_MS;
  await journal.append(at(1, 9));
  const reader = openJournalReader({ directory });
  const newest = await reader.list({ client: 7, sinceMs: 0, limit: 1 });
  assert.deepEqual(numbers(newest), [2]);
  const sinceMs = START_MS + 9 * 60_000;
  assert.deepEqual(numbers(await reader.list({ client: 7, sinceMs, limit: 9 })), [2, 1]);
  await journal.close();
});

test('reading leaves no file beside a closed bucket', async (t) => {
  const directory = temporaryFolder(t);
  await (await write(directory, '1', [at(1, 0), at(2, 10)])).close();
  const before = readdirSync(directory);
  await openJournalReader({ directory }).list({ client: 7, sinceMs: 0, limit: 10 });
  assert.deepEqual(readdirSync(directory), before);
});

test('a folder that is missing, or a bucket that is just being made, has no tokens', async (t) => {
  const directory = join(temporaryFolder(t), 'journal');
  const reader = openJournalReader({ directory });
  assert.deepEqual(await reader.list({ client: 7, sinceMs: 0, limit: 10 }), []);
  const journal = await write(directory, '1', [at(1, 0)]);
  writeFileSync(bucketFile(directory, START_MS, '2').path, '');
  assert.deepEqual(numbers(await reader.list({ client: 7, sinceMs: 0, limit: 10 })), [1]);
  await journal.close();
});

test('buckets that are dropped while they are read cost their rows, not an error', async (t) => {
  const directory = temporaryFolder(t);
  const clock = { nowMs: START_MS, wallMs: () => clock.nowMs };
  const journal = await openJournal({ directory, slot: '1', clock, retentionMs: BUCKET_MS });
  const reader = openJournalReader({ directory });
  const readings: Promise<readonly IssuedToken[]>[] = [];
  for (let bucket = 0; bucket < 12; bucket += 1) {
    clock.nowMs = START_MS + bucket * BUCKET_MS;
    await journal.append(at(bucket, bucket * 10));
    readings.push(reader.list({ client: 7, sinceMs: 0, limit: 100 }));
    if (bucket % 4 === 3) await readings.at(-1);
  }
  for (const tokens of await Promise.all(readings)) assert.ok(tokens.length > 0);
  await journal.close();
});

test('queries beyond the bound are refused instead of piling up', async (t) => {
  const reader = openJournalReader({ directory: temporaryFolder(t) });
  const ask = () => reader.list({ client: 7, sinceMs: 0, limit: 1 });
  const answers = await Promise.allSettled(Array.from({ length: 33 }, ask));
  const refused = answers.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 1);
  assert.deepEqual(await ask(), []);
});
