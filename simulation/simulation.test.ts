import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subjectOf } from './bugs.ts';
import { runHistories } from './histories.ts';
import { runHistory } from './history.ts';

/** Always the same ones: whoever wants others runs `npm run simulate`. */
const HISTORIES = 1_000;
const SEED = 1;

test('in a thousand histories of faults no promise is broken, and all nodes decide again after the last fault', async (t) => {
  const subject = await subjectOf(undefined);
  const done = await runHistories({
    histories: HISTORIES,
    seed: SEED,
    subject,
    stopsAtFirst: false,
  });
  t.diagnostic(`${done.events} events, ${Math.round(done.simulatedMs / 1_000)} simulated seconds`);
  assert.deepEqual(
    done.broken.map(({ seed, violations }) => ({ seed, violations })),
    [],
  );
  assert.equal(done.histories, HISTORIES);
});

test('a seed replays exactly, event by event, and another seed is another history', async () => {
  const subject = await subjectOf(undefined);
  const told: string[][] = [];
  const run = (seed: number) => {
    const lines: string[] = [];
    told.push(lines);
    return runHistory({ seed, ...subject, tell: (line) => lines.push(line) });
  };
  const [first, again, other] = [await run(7), await run(7), await run(8)];
  assert.deepEqual(first, again);
  assert.deepEqual(told[0], told[1]);
  assert.notEqual(first.hash, other.hash);
});

test('histories have what they are about: tokens, receipts, nodes written off, faults', async () => {
  const subject = await subjectOf(undefined);
  const seen = { live: 0, revoked: 0, 'lease-lost': 0, 'written off': 0, receipt: 0, fault: 0 };
  const tell = (line: string): void => {
    for (const word of Object.keys(seen) as (keyof typeof seen)[]) {
      if (line.includes(word)) seen[word] += 1;
    }
  };
  for (let seed = 1; seed <= 30; seed += 1) await runHistory({ seed, ...subject, tell });
  for (const [word, count] of Object.entries(seen)) assert.ok(count >= 30, `${word}: ${count}`);
});
