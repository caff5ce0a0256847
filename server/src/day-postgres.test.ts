import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from './testing/command-line.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';

const DAY = join(import.meta.dirname, '../../conformance/day.test.ts');

/** A test that is run by a test would only report to that one. */
const ALONE = ['-u', 'NODE_TEST_CONTEXT'];

const postgres = await startPostgres();
if (typeof postgres === 'string') assertMaySkip(postgres);
else after(() => postgres.stop());
const options = typeof postgres === 'string' ? { skip: postgres } : {};

test(
  'the support desk’s whole day goes the same way on PostgreSQL, and its files hold no secret',
  options,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const url = await postgres.newDatabase();
    const { code, stdout } = await runProgram('env', [...ALONE, process.execPath, '--test', DAY], {
      env: {
        CONFORMANCE_DATABASE_URL: url,
        CONFORMANCE_DATABASE_FILES: postgres.directory,
        // A test that is run by a test reports to that one otherwise.
        NODE_TEST_CONTEXT: '',
      },
    });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /pass 9\n/);
    const [made] = await postgres.asSuperuser(
      url,
      "select count(*)::int as n from programs where name = 'Example Fintech'",
    );
    assert.equal(made?.['n'], 1, 'it was that database');
  },
);
