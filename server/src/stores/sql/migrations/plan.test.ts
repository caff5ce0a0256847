import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFor, requireNodes, requireUpToDate, type Step } from './plan.ts';

const step = (name: string, needs = 0): Step => ({ name, sql: `-- ${name}`, needs });
const STEPS = [step('initial', 1), step('second'), step('third')];
const found = (version: number, oldest: number) => ({ version, oldest });

test('the steps that a store has not had are run, and the oldest that may go on stays when they only add', () => {
  const { before, after, oldest, steps } = planFor('the store', found(1, 1), STEPS);
  assert.deepEqual([before, after, oldest, steps], [1, 3, 1, ['second', 'third']]);
  assert.deepEqual(planFor('the store', found(0, 0), STEPS).oldest, 1);
  assert.deepEqual(planFor('the store', found(3, 1), STEPS).pending, []);
});

test('a program meets a newer schema: it goes on when nothing was taken away, and is refused when something was', () => {
  const { before, after, steps } = planFor('the store', found(5, 3), STEPS);
  assert.deepEqual([before, after, steps], [5, 5, []]);
  assert.throws(() => planFor('the store', found(5, 4), STEPS), {
    name: 'SchemaRefused',
    message: /has schema 5, .* older than 4 may work, .* knows 3: .*newer version/,
  });
});

test('a step that takes away waits until no node runs that still needs it', () => {
  const contracting = planFor('the store', found(3, 1), [...STEPS, step('contract', 3)]);
  assert.equal(contracting.oldest, 3);
  requireNodes(contracting, [{ node: 'node-1', schema: 3 }]);
  assert.throws(
    () =>
      requireNodes(contracting, [
        { node: 'node-1', schema: 3 },
        { node: 'node-2', schema: 2 },
        { node: 'node-3', schema: 0 },
      ]),
    { name: 'SchemaRefused', message: /too old for schema 4: node-2, node-3; upgrade/ },
  );
});

test('who may not migrate by itself says what to run; a new store is made all the same', () => {
  assert.throws(() => requireUpToDate('the store', planFor('the store', found(1, 1), STEPS)), {
    message: /has schema 1, .* needs 3, .*run countersign migrate/,
  });
  requireUpToDate('the store', planFor('the store', found(0, 0), STEPS));
  requireUpToDate('the store', planFor('the store', found(4, 1), STEPS));
});
