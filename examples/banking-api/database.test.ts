import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openDatabase } from './database.ts';

test('a folder of another version is refused by its name, and is opened again when it is of this one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'banking-api-'));
  t.after(() => rm(folder, { recursive: true }));
  openDatabase(folder).close();
  openDatabase(folder).close();
  const earlier = new DatabaseSync(join(folder, 'banking-api.db'));
  earlier.exec('pragma user_version = 0');
  earlier.close();
  assert.throws(
    () => openDatabase(folder),
    ({ message }: Error) => message.includes(folder) && message.includes('Delete it'),
  );
});
