import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWithoutWrk, runTiny } from './testing/tiny.ts';

test('an installation that was filled starts, and its ratios, memory and start are told', async (t) => {
  if (isWithoutWrk(t)) return;
  const sizes = ['--clients', '40', '--revoked', '20'];
  const { report } = await runTiny(t, 'size.ts', sizes);
  assert.equal(report.sizes.length, 2);
  for (const { firstTokenMs, figures } of report.sizes) {
    assert.ok(firstTokenMs > 0);
    assert.equal(figures.length, 5);
  }
});
