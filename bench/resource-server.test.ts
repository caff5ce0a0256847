import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { count, noRefusals } from './refusals.ts';
import { readResourceServerOptions } from './resource-server-options.ts';

const poll = (beganMs: number, status: number) => ({ beganMs, endedMs: beganMs + 1, status });

describe('what requests after a receipt came to', () => {
  test('one accepted that began after it is counted, one that began before it is not', () => {
    const refusals = noRefusals();
    const polls = [poll(9, 200), poll(11, 200), poll(13, 503), poll(15, 401), poll(17, 401)];
    count(refusals, { askedMs: 5, receiptMs: 10, polls });
    const { judged, accepted, unavailable } = refusals;
    assert.deepEqual({ judged, accepted, unavailable }, { judged: 4, accepted: 1, unavailable: 1 });
    assert.deepEqual([refusals.toReceiptMs, refusals.receiptToRefusalMs], [[5], [6]]);
  });

  test('a refusal before the receipt is the first of all, and not the one after it', () => {
    const refusals = noRefusals();
    count(refusals, { askedMs: 5, receiptMs: 10, polls: [poll(8, 401), poll(12, 401)] });
    assert.deepEqual([refusals.toRefusalMs, refusals.receiptToRefusalMs], [[4], [3]]);
    assert.equal(refusals.accepted, 0);
  });
});

test('the command line has the defaults of its help, and says what is expected', () => {
  assert.deepEqual(readResourceServerOptions([]), {
    isHelpWanted: false,
    rounds: 5,
    seconds: 3,
    suspensions: 200,
    jsonFile: undefined,
  });
  assert.throws(() => readResourceServerOptions(['--suspensions', '0']), /from 1 to 10000/);
});

const isMissing = spawnSync('wrk', ['--version']).error !== undefined;
const skip = isMissing && !process.env['CI'] ? 'wrk is not installed: apt-get install wrk' : false;

test('the smallest run measures every framework, and nobody is accepted after a receipt', {
  skip,
}, () => {
  const tiny = ['--rounds', '1', '--seconds', '1', '--suspensions', '4'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'resource-server.ts'), ...tiny],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  for (const name of ['node:http', 'Express', 'Fastify', 'Hono']) {
    assert.match(stdout, new RegExp(`^${name}, guarded +[\\d,]+ `, 'm'));
  }
  assert.match(stdout, /^checks a second that remember: [\d,]+ /m);
  assert.match(stdout, /^requests after a receipt: 20; accepted: 0; 503: 0$/m);
});
