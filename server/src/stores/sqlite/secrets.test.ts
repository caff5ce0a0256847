import { systemRandomness } from '../../credentials/random.ts';
import { openDataDirectory } from '../../data-directory.ts';
import { systemClock } from '../../system-clock.ts';
import { configOf, newDataDirectory } from '../../testing/data.ts';
import { secretContract } from '../contract/secret-contract.ts';

secretContract('the SQLite store', async () => {
  const deps = { clock: systemClock, randomness: systemRandomness(), actor: 'test:setup' };
  const { store, masterKey } = await openDataDirectory(configOf(newDataDirectory()), deps);
  return { store, check: masterKey.fingerprint() };
});
