import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreUnavailable } from '../ports/store.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { type Leak, newLeakDesk } from './leak-desk.ts';

const leak = (text: string): Leak => ({
  text,
  source: { actor: 'leak-report', where: 'leak-report', isUrl: false },
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function desk(work: (leaks: readonly Leak[]) => Promise<unknown>) {
  const clock = newManualClock();
  const lines: string[] = [];
  const write = (_fields: object, message: string): void => void lines.push(message);
  const log = { info: write, warn: write, error: write };
  return { clock, lines, leaks: newLeakDesk({ work, clock, log }) };
}

/** Moves time on in steps, so that each sleeper has its turn. */
async function pass(clock: ReturnType<typeof newManualClock>, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 50) {
    clock.advance(50);
    await settled();
  }
}

test('all answers leave at the tick, before anything is looked at, though the store never answers', async () => {
  const events: string[] = [];
  const { clock, leaks } = desk(() => {
    events.push('work');
    return new Promise(() => {});
  });
  const answer = (name: string): void => {
    leaks.take([leak(name)]);
    void leaks.tick().then(() => events.push(name));
  };
  answer('one');
  await pass(clock, 100);
  answer('two');
  await pass(clock, 100);
  assert.deepEqual(events, [], 'nothing before the tick');
  await pass(clock, 50);
  assert.deepEqual(events, ['one', 'two']);
  await pass(clock, 100);
  assert.deepEqual(events, ['one', 'two', 'work']);
  answer('three');
  await pass(clock, 150);
  assert.deepEqual(events, ['one', 'two', 'work', 'three'], 'ticks go on while work hangs');
});

test('work comes in bounded batches, one at a time and in order, whatever is reported meanwhile', async () => {
  const batches: number[] = [];
  const { clock, leaks } = desk(async (batch) => batches.push(batch.length));
  leaks.take(Array.from({ length: 250 }, (_, n) => leak(`${n}`)));
  await pass(clock, 2_000);
  assert.deepEqual(batches, [100, 100, 50]);
  await leaks.stop();
});

test('there is room for so many and no more; what is dropped is not worked on', async () => {
  let worked = 0;
  const { clock, leaks } = desk((batch) => {
    worked += batch.length;
    return Promise.resolve();
  });
  leaks.take(Array.from({ length: 3_999 }, () => leak('x')));
  assert.ok(leaks.hasRoom(1));
  assert.ok(!leaks.hasRoom(2));
  leaks.take([leak('y'), leak('z')]);
  assert.ok(!leaks.hasRoom(1));
  await pass(clock, 12_000);
  assert.equal(worked, 4_000);
});

test('whatever strangers put into URLs, there is room for reports and they wait no longer than that', async () => {
  const done: string[] = [];
  const { clock, leaks } = desk(async (batch) => done.push(...batch.map(({ text }) => text)));
  const source = { actor: 'system:secret-in-url', where: 'url', isUrl: true };
  const flood = Array.from({ length: 10_000 }, () => ({ text: 'url', source }));
  leaks.take(flood);
  assert.ok(leaks.hasRoom(50));
  leaks.take([leak('report')]);
  await pass(clock, 3_000);
  assert.equal(done.indexOf('report'), 1_000);
  leaks.take(flood);
  await pass(clock, 3_000);
  assert.equal(done.length, 2_001, 'what was worked on makes room');
});

test('what cannot be worked on waits for the store, is said once, and is given up only after a minute', async () => {
  let isOut = true;
  const done: string[] = [];
  const { clock, leaks, lines } = desk((batch) => {
    if (isOut) return Promise.reject(new StoreUnavailable('out'));
    done.push(...batch.map(({ text }) => text));
    return Promise.resolve();
  });
  leaks.take([leak('kept')]);
  await pass(clock, 30_000);
  isOut = false;
  await pass(clock, 1_000);
  assert.deepEqual(done, ['kept']);
  assert.deepEqual(lines, ['leak reports have to wait']);
  isOut = true;
  leaks.take([leak('lost')]);
  await pass(clock, 70_000);
  isOut = false;
  await pass(clock, 1_000);
  assert.deepEqual(done, ['kept']);
  assert.equal(lines.at(-1), 'leak reports were given up');
});

test('requests that wait for a tick are bounded too, so that they never fill a listener', async () => {
  const { clock, leaks } = desk(() => Promise.resolve());
  let answered = 0;
  for (let n = 0; n < 256; n += 1) {
    assert.ok(leaks.hasRoom(1));
    void leaks.tick().then(() => {
      answered += 1;
    });
  }
  assert.ok(!leaks.hasRoom(1));
  await pass(clock, 300);
  assert.equal(answered, 256);
  assert.ok(leaks.hasRoom(1));
});

test('a stop answers who waits and works on what is left', async () => {
  const done: string[] = [];
  const { leaks } = desk(async (batch) => done.push(...batch.map(({ text }) => text)));
  leaks.take(Array.from({ length: 150 }, (_, n) => leak(`${n}`)));
  const answered = leaks.tick();
  await leaks.stop();
  await answered;
  assert.equal(done.length, 150);
});
