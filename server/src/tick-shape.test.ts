import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Prints how long a tick takes after a collection, in microseconds: the best of some rounds. */
const TIMED = `
  const [, shape] = process.argv;
  if (shape !== '') (await import(shape)).keepTickShape();
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
  // So that V8 has learnt something that it can forget.
  for (let tick = 0; tick < 50; tick += 1) {
    process.nextTick(() => {});
    await turn();
  }
  gc();
  await turn();
  const nothing = () => {};
  let best = Infinity;
  for (let round = 0; round < 100; round += 1) {
    const beganMs = performance.now();
    for (let tick = 0; tick < 2_000; tick += 1) process.nextTick(nothing);
    best = Math.min(best, (performance.now() - beganMs) / 2);
    await turn();
  }
  console.log(best);`;

function tickUs(shape: string): number {
  const args = ['--expose-gc', '--input-type=module', '--eval', TIMED, shape];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

test('ticks stay fast through a collection; they would not by themselves', () => {
  const kept = tickUs(new URL('./tick-shape.ts', import.meta.url).href);
  const dropped = tickUs('');
  assert.ok(kept * 2 < dropped, `${kept} µs a tick, and ${dropped} without`);
});
