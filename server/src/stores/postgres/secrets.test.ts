import { after, test } from 'node:test';
import { assertMaySkip, startPostgres } from '../../testing/postgres.ts';
import { claimContract } from '../contract/claim-contract.ts';
import { refusalContract } from '../contract/refusal-contract.ts';
import { secretContract } from '../contract/secret-contract.ts';
import { openTestDatabase } from './testing/open.ts';

const postgres = await startPostgres();

if (typeof postgres === 'string') {
  assertMaySkip(postgres);
  test('the secrets of the PostgreSQL store', { skip: postgres });
} else {
  after(() => postgres.stop());
  const open = async () => {
    const { store, masterKey } = await openTestDatabase(await postgres.newDatabase());
    return { store, check: masterKey.fingerprint() };
  };
  secretContract('the PostgreSQL store', open);
  claimContract('the PostgreSQL store', open);
  refusalContract('the PostgreSQL store', open);
}
