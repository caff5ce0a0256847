import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWithoutWrk, runTiny } from './testing/tiny.ts';

test('one command measures all questions, counts the tokens on record and the syncs, and leaves raw figures', async (t) => {
  if (isWithoutWrk(t)) return;
  const { stdout, report } = await runTiny(t, 'run.ts', ['--syncs']);
  // A busy machine may miss floors; a token that is not on record it may not miss.
  for (const complaint of report.complaints) assert.match(complaint, /of bare, below/);
  assert.match(stdout, /POST \/token: \d+ tokens answered, \d+ on record/);
  assert.deepEqual(
    report.figures.map(({ subject }: { subject: { name: string } }) => subject.name),
    ['bare POST', 'bare GET', 'POST /token', 'POST /introspect', 'GET /verify'],
  );
  assert.match(report.machine.node, /^v\d+/);
  assert.ok(!JSON.stringify(report).includes('secret_test_') && !stdout.includes('token_test_'));
  if (report.syncs !== undefined) assert.ok(report.syncs.syncs > 0, 'tokens without a sync');
});
