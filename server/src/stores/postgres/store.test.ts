import { after, test } from 'node:test';
import { systemRandomness } from '../../credentials/random.ts';
import { openData } from '../../database.ts';
import { systemClock } from '../../system-clock.ts';
import { configOf, newDataDirectory } from '../../testing/data.ts';
import { assertMaySkip, startPostgres } from '../../testing/postgres.ts';
import { storeContract } from '../contract/store-contract.ts';
import type { Store } from '../store.ts';

const postgres = await startPostgres();
const KEY = Buffer.alloc(32, 7).toString('base64');

async function open(url: string): Promise<Store> {
  const env = { COUNTERSIGN_DATABASE_URL: url, COUNTERSIGN_MASTER_KEY: KEY };
  const deps = { clock: systemClock, randomness: systemRandomness(), actor: 'test:setup' };
  return (await openData(configOf(newDataDirectory(), env), deps)).store;
}

if (typeof postgres === 'string') {
  assertMaySkip(postgres);
  test('the PostgreSQL store', { skip: postgres });
} else {
  after(() => postgres.stop());
  const databases = new Map<string, Promise<string>>();
  let made = 0;
  storeContract(
    'the PostgreSQL store',
    async (name) => {
      const database = databases.get(name) ?? postgres.newDatabase();
      databases.set(name, database);
      return await open(await database);
    },
    () => {
      made += 1;
      return `${made}`;
    },
  );
}
