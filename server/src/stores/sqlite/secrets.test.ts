import { systemRandomness } from '../../credentials/random.ts';
import { openDataDirectory } from '../../data-directory.ts';
import { systemClock } from '../../system-clock.ts';
import { configOf, newDataDirectory } from '../../testing/data.ts';
import { claimContract } from '../contract/claim-contract.ts';
import { refusalContract } from '../contract/refusal-contract.ts';
import { secretContract } from '../contract/secret-contract.ts';

const open = async () => {
  const deps = { clock: systemClock, randomness: systemRandomness(), actor: 'test:setup' };
  const { store, masterKey } = await openDataDirectory(configOf(newDataDirectory()), deps);
  return { store, check: masterKey.fingerprint() };
};

secretContract('the SQLite store', open);
claimContract('the SQLite store', open);
refusalContract('the SQLite store', open);
