import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { subjectOf } from './bugs.ts';
import type { Outcome } from './histories.ts';
import { runHistory } from './history.ts';

/** Always the same ones: whoever wants others runs `npm run simulate`. */
const HISTORIES = 1_000;
const SEED = 1;
const RUN = fileURLToPath(new URL('./run.ts', import.meta.url));

async function runProgram(argv: readonly string[]): Promise<{ code: number; stdout: string }> {
  const child = spawn(process.execPath, [...argv], { stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout };
}

test('in a thousand histories of faults no promise is broken, and all nodes decide again after the last fault', async (t) => {
  // In a process of its own: the test runner follows every promise of its own one, which takes thrice the time.
  const argv = [RUN, '--histories', `${HISTORIES}`, '--seed', `${SEED}`, '--json'];
  const { code, stdout } = await runProgram(argv);
  const done = JSON.parse(stdout) as Outcome;
  t.diagnostic(`${done.events} events, ${Math.round(done.simulatedMs / 1_000)} simulated seconds`);
  assert.deepEqual(
    done.broken.map(({ seed, violations }) => ({ seed, violations })),
    [],
  );
  assert.deepEqual({ code, histories: done.histories }, { code: 0, histories: HISTORIES });
});

test('the command says how to run a broken history again, and refuses what it does not know', async () => {
  const caught = await runProgram([RUN, '--seed', '1', '--bug', 'flag-without-bump']);
  assert.equal(caught.code, 0);
  const again = /again: node simulation\/run\.ts (.*)/.exec(caught.stdout)?.[1] ?? '';
  const told = await runProgram([RUN, ...again.trim().split(/\s+/)]);
  assert.equal(told.code, 1);
  assert.match(told.stdout, /killed and revived/);
  const missed = ['--histories', '1', '--seed', '1', '--bug', 'list-from-anybody'];
  assert.equal((await runProgram([RUN, ...missed])).code, 1);
  assert.equal((await runProgram([RUN, '--bug', 'no-such-bug'])).code, 2);
  assert.equal((await runProgram([RUN, '--histories', 'many'])).code, 2);
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
