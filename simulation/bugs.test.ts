import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BUGS, RARE_BUGS, RECEIPT_BUGS, subjectOf } from './bugs.ts';
import { runHistories } from './histories.ts';
import { mutatedText } from './mutation.ts';

const HISTORIES = 1_000;

describe('each known bug is caught within a thousand histories', () => {
  for (const [name, { is }] of Object.entries({ ...BUGS, ...RECEIPT_BUGS })) {
    test(`${name}: ${is}`, async (t) => {
      const subject = await subjectOf(name);
      const run = { histories: HISTORIES, seed: 1, subject, stopsAtFirst: true };
      const { broken, histories } = await runHistories(run);
      t.diagnostic(`${histories}: ${broken[0]?.violations.map(({ rule }) => rule).join(', ')}`);
      assert.equal(broken.length, 1, `not caught in ${histories} histories`);
    });
  }
});

test('the rare bugs still fit the source they are written into', async () => {
  for (const name of Object.keys(RARE_BUGS)) assert.ok((await subjectOf(name)).code);
});

test('a bug whose place is gone from the source is an error, and so is one with two places', () => {
  assert.equal(mutatedText('a(\n  b,\n);', [{ from: 'a( b, );', to: 'c' }]), 'c');
  assert.throws(() => mutatedText('a', [{ from: 'b', to: 'c' }]), /found 0 times/);
  assert.throws(() => mutatedText('a a', [{ from: 'a', to: 'c' }]), /found 2 times/);
});
