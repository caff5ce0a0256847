import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { histogramOf, latenciesOf, latencyLine } from './latencies.ts';
import { readRevocationOptions } from './revocation-options.ts';

describe('latencies', () => {
  test('are durations that were measured, by rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(latenciesOf(hundred), { count: 100, p50Ms: 50, p99Ms: 99, maxMs: 100 });
    assert.deepEqual(latenciesOf([7]), { count: 1, p50Ms: 7, p99Ms: 7, maxMs: 7 });
    const rare = latenciesOf([...Array.from({ length: 999 }, () => 1), 5_000]);
    assert.deepEqual([rare.p99Ms, rare.maxMs], [1, 5_000], 'the worst is told apart');
  });

  test('that were not measured are no result', () => {
    assert.throws(() => latenciesOf([]), /no measurement/);
  });

  test('are drawn without losing one, however long or short', () => {
    const drawn = histogramOf([0.2, 1.5, 1.9, 4_000]);
    const counts = drawn.split('\n').map((line) => Number(/ms\s+(\d+)/.exec(line)?.[1]));
    assert.equal(counts.length, 11);
    assert.deepEqual([counts[0], counts[1], counts.at(-1)], [1, 2, 1]);
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      4,
    );
    assert.match(drawn, /^ {3}≥ 1000 ms +1 +█{20}$/m, 'half as often is half as long');
    assert.doesNotMatch(histogramOf([3, 4]), /< 1 ms|< 10 ms/, 'empty ends are left out');
  });

  test('stand in columns', () => {
    const line = latencyLine('to receipt', { count: 3, p50Ms: 1.25, p99Ms: 20, maxMs: 300.04 });
    assert.match(line, /^to receipt +1\.[23] +20\.0 +300\.0$/);
  });
});

describe('the command line of the revocation bench', () => {
  test('has the defaults of its help', () => {
    assert.deepEqual(readRevocationOptions([]), {
      isHelpWanted: false,
      nodes: 3,
      suspensions: 1_000,
      store: 'sqlite',
      isPollingOnly: false,
      jsonFile: undefined,
    });
  });

  test('says what is expected of a value that cannot be used', () => {
    assert.throws(() => readRevocationOptions(['--nodes', '0']), /--nodes .* from 1 to 32/);
    assert.throws(() => readRevocationOptions(['--suspensions', 'many']), /--suspensions/);
    assert.throws(() => readRevocationOptions(['--store', 'mysql']), /sqlite or postgres/);
    assert.throws(() => readRevocationOptions(['--polling']), /PostgreSQL/);
    assert.equal(readRevocationOptions(['--polling', '--store', 'postgres']).isPollingOnly, true);
  });
});
