import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { suspensionId } from '../../ports/suspensions.ts';
import { newDataDirectory } from '../../testing/data.ts';
import { asOperator, onboard } from '../../testing/onboarding.ts';
import { connectWriter } from './connect.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { databasePath } from './store.ts';

test('what was suspended before suspensions were rows has one row each afterwards, and nobody else has', () => {
  const path = `${newDataDirectory()}/older.db`;
  const connection = connectWriter(path);
  const first = MIGRATIONS.findIndex(({ name }) => name === 'suspensions');
  migrate(connection, path, MIGRATIONS.slice(0, first));
  connection.exec(`
    INSERT INTO environments (ordinal, name, tag, issuer, generation) VALUES (1, 'sandbox', 'test', 'http://a', 0);
    INSERT INTO programs (program_id, name, generation, suspended, suspended_reason, suspended_at_ms, created_at_ms)
      VALUES ('program_1', 'a', 1, 1, 'leak', 70, 10), ('program_2', 'b', 0, 0, NULL, NULL, 20);
    INSERT INTO clients (client_id, program, environment, name, generation, state, suspended_reason, scope, resources, allow_ip,
        token_lifetime_s, resource_server, created_at_ms)
      VALUES ('client_1', 1, 1, 'x', 0, 'active', NULL, '', '[]', '[]', 60, 0, 30),
        ('client_2', 2, 1, 'y', 1, 'suspended', 'lost', '', '[]', '[]', 60, 0, 40);
    INSERT INTO changes (sequence, change_id, kind, target, facts, at_ms)
      VALUES (1, 'x', 'client.suspend', 'client_2', '[]', 90);
  `);
  migrate(connection, path);
  const rows = connection
    .prepare(
      'SELECT program, client, reason, opened_at_ms AS at, closed_at_ms AS closed FROM suspensions',
    )
    .all()
    .map((row) => ({ ...row }));
  assert.deepEqual(rows, [
    { program: 1, client: null, reason: 'leak', at: 70, closed: null },
    { program: null, client: 2, reason: 'lost', at: 90, closed: null },
  ]);
  connection.close();
});

test('what an older version suspends, without a row, is not let in by the end of a suspension that has one', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => {
    const { programId } = await onboard(context);
    const commit = (change: Parameters<typeof context.changes.commit>[0]['change']) =>
      context.changes.commit({ change, actor: 'test:operator', atMs: 1_000 });
    const suspended = async () =>
      (await context.directory.programs({ programId }))[0]?.suspended === true;
    await commit({ kind: 'program.suspend', programId, reason: 'maintenance', untilMs: 5_000 });
    // As the version before reactivated and suspended: by the program's own columns alone.
    const older = new DatabaseSync(databasePath(data));
    older.exec(`UPDATE programs SET suspended = 0, suspended_reason = NULL`);
    older.exec(
      `UPDATE programs SET suspended = 1, suspended_reason = 'leak', generation = generation + 1`,
    );
    older.close();
    const suspensions = await context.directory.dueSuspensions(5_000, 10);
    assert.equal(suspensions.length, 1, suspensionId(suspensions[0] ?? 0));
    await commit({ kind: 'suspension.end', suspensions, dueAtMs: 5_000 });
    assert.equal(await suspended(), true);
    await commit({ kind: 'program.reactivate', programId });
    assert.equal(await suspended(), false);
  });
});
