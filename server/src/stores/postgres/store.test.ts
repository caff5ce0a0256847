import { after, test } from 'node:test';
import { assertMaySkip, startPostgres } from '../../testing/postgres.ts';
import { carefulContract } from '../contract/careful-contract.ts';
import { dutyContract } from '../contract/duty-contract.ts';
import { type OpenStore, storeContract } from '../contract/store-contract.ts';
import { suspensionContract } from '../contract/suspension-contract.ts';
import { openTestDatabase } from './testing/open.ts';

const postgres = await startPostgres();

if (typeof postgres === 'string') {
  assertMaySkip(postgres);
  test('the PostgreSQL store', { skip: postgres });
} else {
  after(() => postgres.stop());
  const databases = new Map<string, Promise<string>>();
  let made = 0;
  const open: OpenStore = async (name) => {
    const database = databases.get(name) ?? postgres.newDatabase();
    databases.set(name, database);
    return (await openTestDatabase(await database)).store;
  };
  const newData = (): string => {
    made += 1;
    return `${made}`;
  };
  storeContract('the PostgreSQL store', open, newData);
  dutyContract('duties and time on the PostgreSQL store', open, newData);
  carefulContract('the PostgreSQL store', open, newData);
  suspensionContract('suspensions on PostgreSQL', open, newData);
}
