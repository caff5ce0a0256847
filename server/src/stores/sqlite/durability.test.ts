import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { countSyncs } from '../../testing/count-syncs.ts';
import { newDataDirectory } from '../../testing/data.ts';

const CHILD = fileURLToPath(new URL('./testing/committing-child.ts', import.meta.url));
const COMMITS = 100;

test('each change is synced to the disk, and not without synchronous=FULL', (t) => {
  const count = (synchronous: 'FULL' | 'OFF') => {
    const data = newDataDirectory();
    return countSyncs([CHILD, data, String(COMMITS), synchronous], join(data, 'strace'));
  };
  const full = count('FULL');
  if (typeof full === 'string') {
    assert.equal(process.env['CI'], undefined, full);
    t.diagnostic(full);
    return t.skip('the syncs cannot be counted on this machine');
  }
  const off = count('OFF');
  t.diagnostic(`${COMMITS} changes: ${full} syncs with FULL, ${off} with OFF`);
  assert.ok(typeof off === 'number' && full >= off + COMMITS, `${full} with FULL, ${off} with OFF`);
});
