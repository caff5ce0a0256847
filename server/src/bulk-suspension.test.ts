import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OperationContext } from './operations/context.ts';
import { suspendClients } from './operations/suspend-clients.ts';
import { suspendProgram } from './operations/suspend-program.ts';
import { verifyAudit } from './operations/verify-audit.ts';
import { runProgram } from './testing/command-line.ts';
import { newDataDirectory } from './testing/data.ts';
import { envOf } from './testing/nodes-on-database.ts';
import { asOperator, introspect, onboard, requestToken } from './testing/onboarding.ts';
import { assertMaySkip, startPostgres } from './testing/postgres.ts';
import { startServer } from './testing/running-server.ts';

const CLIENTS = 100_000;

type Installation = {
  readonly env?: Record<string, string>;
  /** Runs SQL on the store, which no process of ours has open. */
  readonly insert: (data: string, sql: (padded: string, series: string) => string) => Promise<void>;
};

/** Rows as `client create` leaves them, but for their secrets, which nobody needs here. */
const clientRows =
  (program: number) =>
  (padded: string, series: string): string =>
    `INSERT INTO clients (client_id, program, environment, name, generation, state, scope, resources, allow_ip,
       token_lifetime_s, resource_server, created_at_ms)
     SELECT 'client_test_' || ${padded}, ${program}, 1, 'fleet ' || n, 0, 'active', '', '[]', '[]', 3600, 0, 1
     FROM ${series}`;

async function drill(t: TestContext, { env = {}, insert }: Installation): Promise<void> {
  const data = newDataDirectory();
  const as = <T>(body: (context: OperationContext) => Promise<T>) => asOperator(data, body, env);
  const [client, other, asker] = await as(async (context) => [
    await onboard(context, { name: 'fleet server' }),
    await onboard(context),
    await onboard(context, { resourceServer: true }),
  ]);
  await insert(data, clientRows(1));
  const server = await startServer(data, { env });
  try {
    const token = (await requestToken(server.url, client)) ?? '';
    assert.equal(await introspect(server.url, asker, token), 'active');
    await as((context) =>
      as(async (beside) => {
        const startedMs = performance.now();
        const ended: string[] = [];
        const single: { ms?: number } = {};
        let alone: Promise<unknown> | undefined;
        const bulk = await suspendClients(
          context,
          { where: ['name~FLEET', 'environment=sandbox'], reason: 'drill' },
          ({ suspended }) => {
            if (alone !== undefined || suspended < CLIENTS / 4) return;
            const askedMs = performance.now();
            alone = suspendProgram(beside, { programId: other.programId, reason: 'leak' }).then(
              ({ receipt }) => {
                assert.equal(receipt.complete, true);
                single.ms = performance.now() - askedMs;
                ended.push('single');
              },
            );
          },
        );
        ended.push('bulk');
        await alone;
        const tookMs = Math.round(performance.now() - startedMs);
        t.diagnostic(
          `${CLIENTS} clients in ${tookMs} ms; one program meanwhile in ${single.ms} ms`,
        );
        assert.deepEqual([bulk.matched, bulk.suspended], [CLIENTS + 1, CLIENTS + 1]);
        assert.equal(bulk.receipt.complete, true);
        assert.equal(bulk.receipt.confirmed.length, 1);
        assert.equal(await introspect(server.url, asker, token), 'inactive');
        assert.deepEqual(
          ended,
          ['single', 'bulk'],
          'the single suspension did not wait for the many',
        );
        await assertSuspended(context, bulk.receipt.sequence);
      }),
    );
  } finally {
    await server.stop();
  }
}

/** Each has its suspension and its audit line, in a chain that is whole; and suspending them again changes nothing. */
async function assertSuspended(context: OperationContext, sequence: number): Promise<void> {
  const suspended = await context.directory.clients({ state: 'suspended', nameContains: 'fleet' });
  assert.equal(suspended.length, CLIENTS + 1);
  assert.ok(suspended.every(({ generation }) => generation === 1));
  const lines = await context.audit.lines({ action: 'client.suspend', limit: CLIENTS * 2 });
  assert.equal(new Set(lines.map(({ target }) => target)).size, CLIENTS + 1);
  assert.equal(lines.length, CLIENTS + 1);
  assert.equal((await verifyAudit(context)).intact, true);
  // A tenth of them is enough for this.
  const again = await suspendClients(context, { where: ['name~fleet 1'], reason: 'drill' });
  assert.deepEqual([again.matched, again.suspended, again.changed], [11_112, 0, false]);
  assert.ok(again.receipt.sequence >= sequence);
}

const TITLE =
  'are suspended in parts, each with its audit line, while another suspension gets its receipt';

test(`100,000 clients on SQLite ${TITLE}`, (t) =>
  drill(t, {
    insert: async (data, sql) => {
      const series =
        `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${CLIENTS}) ` +
        'SELECT n FROM s)';
      const script = `const { DatabaseSync } = require('node:sqlite');
        const database = new DatabaseSync(process.argv[1]);
        database.exec(process.argv[2]);
        database.close();`;
      const path = join(data, 'countersign.db');
      const text = sql("printf('%016d', n)", series);
      const ran = await runProgram(process.execPath, ['-e', script, path, text]);
      assert.equal(ran.code, 0, ran.stderr);
    },
  }));

test(`100,000 clients on PostgreSQL ${TITLE}`, async (t) => {
  const postgres = await startPostgres();
  if (typeof postgres === 'string') {
    assertMaySkip(postgres);
    return t.diagnostic(postgres);
  }
  try {
    const url = await postgres.newDatabase();
    await drill(t, {
      env: envOf(url),
      insert: async (_, sql) => {
        const series = `generate_series(1, ${CLIENTS}) AS n`;
        await postgres.asSuperuser(url, sql("lpad(n::text, 16, '0')", series));
      },
    });
  } finally {
    await postgres.stop();
  }
});
