import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { newDataDirectory } from '../../testing/data.ts';
import { ALL_TABLES, TABLES_WITH_ORDINALS } from '../sql/copied-tables.ts';
import { connectWriter } from './connect.ts';
import { insertRows, lastOrdinals, pagesOf, setLastOrdinal } from './copied-tables.ts';
import { migrate } from './migrate.ts';

function newDatabase(): ReturnType<typeof connectWriter> {
  const path = join(newDataDirectory(), 'x.db');
  const connection = connectWriter(path, 'OFF');
  migrate(connection, path);
  return connection;
}

test('of every table of the schema it is decided whether it is copied, and whether its ordinals are', () => {
  const made = newDatabase()
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_floor'",
    )
    .all() as { name: string; sql: string }[];
  assert.deepEqual(made.map(({ name }) => name).sort(), [...ALL_TABLES].sort());
  const giving = made.filter(({ sql }) => sql.includes('AUTOINCREMENT'));
  assert.deepEqual(giving.map(({ name }) => name).sort(), [...TABLES_WITH_ORDINALS].sort());
});

test('rows come out as they went in, in pages, and what is gone keeps its ordinal from being given out again', () => {
  const connection = newDatabase();
  const rows = Array.from({ length: 1_201 }, (_, index) => ({
    ordinal: index + 5,
    program_id: `program_${index}`,
    name: 'Änderung "\\',
    generation: 3,
    suspended: 0,
    suspended_reason: null,
    suspended_at_ms: index % 2 === 0 ? null : 1_763_826_000_123,
    created_at_ms: 1_763_826_000_000,
  }));
  insertRows(connection, 'programs', rows);
  const pages = [...pagesOf(connection, 'programs')];
  assert.ok(pages.length > 2);
  assert.deepEqual(
    pages.flat().map((row) => ({ ...row })),
    rows,
  );
  setLastOrdinal(connection, 'programs', 9_000);
  assert.equal(lastOrdinals(connection).get('programs'), 9_000);
  const { created_at_ms, ...rest } = { ...rows[0], created_at_ms: 1 };
  assert.throws(() => insertRows(connection, 'programs', [rest]), /programs has other columns/);
});
