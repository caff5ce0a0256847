import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { isWithoutWrk, runTiny } from './testing/tiny.ts';

test('an installation that was filled starts, and its ratios, memory and start are told', async (t) => {
  if (isWithoutWrk(t)) return;
  // This checkout is a folder in which the package is installed, too: its workspace links it.
  const installed = ['--installed', resolve(import.meta.dirname, '..')];
  const sizes = ['--clients', '40', '--revoked', '20'];
  const { report, stdout } = await runTiny(t, 'size.ts', [...sizes, ...installed]);
  assert.match(stdout, /^as it is installed;/);
  assert.equal(report.sizes.length, 2);
  for (const { firstTokenMs, figures } of report.sizes) {
    assert.ok(firstTokenMs.min > 0);
    assert.equal(figures.length, 3);
  }
  // Each question to each size, beside the same question to the first.
  assert.equal(report.beside.length, 6);
  assert.match(stdout, /^From \d\.\d\d to \d\.\d\d of the first: (within|beyond) 10 %\.$/m);
});
