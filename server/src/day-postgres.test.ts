import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
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

/** Logs as much as it can: every statement with its parameters, and every plan. */
const TALKATIVE: Readonly<Record<string, string>> = {
  logging_collector: 'on',
  log_directory: 'log',
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_parameter_max_length': '-1',
};

test(
  'T-69: the support desk’s whole day goes the same way on PostgreSQL, and no secret stands in its files, the log of all its statements among them',
  options,
  async () => {
    assert.ok(typeof postgres !== 'string');
    const url = await postgres.newDatabase();
    for (const [name, value] of Object.entries(TALKATIVE)) {
      await postgres.asSuperuser(url, `alter system set ${name} = '${value}'`);
    }
    await postgres.restart();
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
    const logs = join(postgres.directory, 'log');
    const logged = readdirSync(logs).map((file) => readFileSync(join(logs, file), 'utf8'));
    for (const said of [/parameters: \$1 = /i, /Query Parameters: /, /client_test_\w+/]) {
      assert.ok(
        logged.some((text) => said.test(text)),
        `the log says nothing of ${said}`,
      );
    }
  },
);
