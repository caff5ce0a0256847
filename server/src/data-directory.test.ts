import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig } from './config.ts';
import { systemRandomness } from './credentials/random.ts';
import { openDataDirectory } from './data-directory.ts';
import { SCHEMA_VERSION } from './stores/sql/migrations/steps.ts';
import { systemClock } from './system-clock.ts';
import { newDataDirectory } from './testing/data.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const KEY = Buffer.alloc(32, 7).toString('base64url');

function open(data: string, env: Record<string, string> = {}) {
  const deps = { clock: systemClock, randomness: systemRandomness(), actor: 'test:open' };
  return openDataDirectory(readConfig({ flags: { data }, env }), deps);
}

async function opened(data: string, env: Record<string, string> = {}): Promise<void> {
  await (await open(data, env)).store.close();
}

test('a new directory gets a master key that only its owner can read, and says so once', async () => {
  const data = join(newDataDirectory(), 'deep', 'data');
  const first = await open(data);
  assert.equal(first.newMasterKeyFile, join(data, 'master.key'));
  await first.store.close();
  assert.equal(statSync(join(data, 'master.key')).mode & 0o777, 0o600);
  assert.equal(statSync(data).mode & 0o777, 0o700);
  const second = await open(data);
  assert.equal(second.newMasterKeyFile, undefined);
  await second.store.close();
});

test('two processes that open a new directory at once make one store', async () => {
  const data = newDataDirectory();
  const both = await Promise.all([open(data), open(data)]);
  const [first, second] = await Promise.all(both.map(({ store }) => store.log.poll(0)));
  assert.equal(first?.incarnation, second?.incarnation);
  assert.equal(first?.head, 1);
  for (const { store } of both) await store.close();
});

test('many processes that begin with a new directory at once all find one store', async () => {
  const data = newDataDirectory();
  const processes = Array.from({ length: 6 }, () => {
    const child = spawn(process.execPath, [MAIN, 'program', 'list', '--data', data]);
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
    });
    return once(child, 'close').then(([code]) => ({ code, said }));
  });
  for (const { code, said } of await Promise.all(processes)) assert.equal(code, 0, said);
});

test('a store whose master key is gone is never given a new one', async () => {
  const data = newDataDirectory();
  await opened(data);
  rmSync(join(data, 'master.key'));
  await assert.rejects(open(data), { name: 'MasterKeyError', message: /master\.key/ });
  assert.throws(() => statSync(join(data, 'master.key')), { code: 'ENOENT' });
});

test('another master key is refused before anything is decided with it', async () => {
  const data = newDataDirectory();
  await opened(data, { COUNTERSIGN_MASTER_KEY: KEY });
  const other = Buffer.alloc(32, 8).toString('base64url');
  await assert.rejects(open(data, { COUNTERSIGN_MASTER_KEY: other }), {
    name: 'DataDirectoryError',
    message: /made under another master key/,
  });
  await opened(data, { COUNTERSIGN_MASTER_KEY: KEY });
  await opened(data, { COUNTERSIGN_MASTER_KEY_COMMAND: `printf ${KEY}` });
  assert.throws(() => statSync(join(data, 'master.key')), { code: 'ENOENT' });
});

test('a master key that others may read is refused with the command that mends it', async () => {
  const data = newDataDirectory();
  await opened(data);
  chmodSync(join(data, 'master.key'), 0o644);
  await assert.rejects(open(data), { name: 'MasterKeyError', message: /chmod 600/ });
});

test('a newer schema is refused and left untouched', async () => {
  const data = newDataDirectory();
  await opened(data);
  const connection = new DatabaseSync(join(data, 'countersign.db'));
  const newer = SCHEMA_VERSION + 1;
  connection.exec(`PRAGMA user_version = ${newer}; UPDATE schema_floor SET oldest = ${newer}`);
  await assert.rejects(open(data), /newer version/);
  assert.deepEqual(
    { ...connection.prepare('PRAGMA user_version').get() },
    {
      user_version: SCHEMA_VERSION + 1,
    },
  );
  connection.close();
});

test('what is no database is named, and not overwritten', async () => {
  const data = newDataDirectory();
  const path = join(data, 'countersign.db');
  await opened(data);
  rmSync(`${path}-wal`, { force: true });
  writeFileSync(path, 'these are somebody’s notes '.repeat(100));
  const before = readFileSync(path);
  await assert.rejects(open(data), (error: Error) => {
    assert.equal(error.name, 'DataDirectoryError');
    assert.ok(error.message.includes(path));
    return true;
  });
  assert.deepEqual(readFileSync(path), before);
});

test('a path that cannot be a directory is refused with --data in the message', async () => {
  const file = join(newDataDirectory(), 'file');
  writeFileSync(file, '');
  await assert.rejects(open(file), { name: 'DataDirectoryError', message: /^--data / });
  await assert.rejects(open('/dev/null/data'), {
    name: 'DataDirectoryError',
    message: /^--data /,
  });
});

test('a database that another program holds locked is named, and waited for only so long', async () => {
  const data = newDataDirectory();
  await opened(data);
  const holder = new DatabaseSync(join(data, 'countersign.db'));
  holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  await assert.rejects(open(data), { name: 'DataDirectoryError', message: /locked/ });
  holder.exec('ROLLBACK');
  holder.close();
  await opened(data);
});
