/** Suspends and reactivates one program over and over, to be stopped in the middle: `node suspending-child.ts URL PROGRAM_ID`. */

import { openTestDatabase } from './open.ts';

const [url = '', programId = ''] = process.argv.slice(2);
const { store } = await openTestDatabase(url);
const by = { actor: 'test:child', atMs: 1 };
process.stdout.write('ready\n');
for (;;) {
  await store.commit({ change: { kind: 'program.suspend', programId, reason: 'x' }, ...by });
  await store.commit({ change: { kind: 'program.reactivate', programId }, ...by });
}
