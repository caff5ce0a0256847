/** Commits changes one after another, for whoever counts the syncs: `node committing-child.ts DATA COUNT FULL|OFF`. */

import { systemRandomness } from '../../../credentials/random.ts';
import { systemClock } from '../../../system-clock.ts';
import { openTestStore } from '../../../testing/data.ts';
import { openStore } from '../store.ts';

const [dataDirectory = '', count, synchronous] = process.argv.slice(2);
await (await openTestStore(dataDirectory)).close();
const store = openStore({
  dataDirectory,
  clock: systemClock,
  randomness: systemRandomness(),
  masterKeyCheck: '',
  synchronous: synchronous === 'OFF' ? 'OFF' : 'FULL',
});
for (let made = 0; made < Number(count); made += 1) {
  await store.commit({
    change: { kind: 'program.create', programId: `program_${made}`, name: 'x' },
    actor: 'test:child',
    atMs: 1,
  });
}
await store.close();
