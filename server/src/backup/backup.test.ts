import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { MasterKey } from '../credentials/key-wrapping.ts';
import { systemRandomness } from '../credentials/random.ts';
import { SCHEMA_VERSION } from '../stores/sql/migrations/steps.ts';
import { commandLine, type Ran, runProgram } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { startServer } from '../testing/running-server.ts';
import { createArchive, readArchive } from './archive.ts';
import { sealOf } from './seal.ts';

const KEY = Buffer.alloc(32, 7);

/** A new directory with the master key in it. */
function directoryWithKey(key: Buffer = KEY): string {
  const data = newDataDirectory();
  writeFileSync(join(data, 'master.key'), `${key.toString('base64url')}\n`, { mode: 0o600 });
  return data;
}

/** Everything below a directory: names, modes and contents. */
function contentOf(directory: string): Record<string, unknown> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const entries = names.map((name) => {
    const path = join(directory, name);
    const { mode } = statSync(path);
    return [name, [mode, statSync(path).isFile() ? readFileSync(path, 'hex') : 'folder']];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function assertRefused({ code, stdout, stderr }: Ran, pattern: RegExp): void {
  assert.deepEqual([code, stdout], [1, ''], stderr);
  assert.match(stderr, /^[^\n]+\n$/);
  assert.match(stderr, pattern);
}

describe('a backup', () => {
  const data = directoryWithKey();
  const cli = commandLine(data);
  const file = join(newDataDirectory(), 'backup');
  const made = { program: '', secret: '' };

  before(async () => {
    made.program = String((await cli.json('program', 'create', 'Acme'))['program_id']);
    const client = ['client', 'create', '--program', made.program, '--environment', 'sandbox'];
    made.secret = String((await cli.json(...client, '--name', 'x'))['client_secret']);
    await cli.json('backup', file);
  });

  test('says what is in it, stands in the audit trail by its hash, and leaves nothing else behind', async () => {
    const { code, stdout, stderr } = await cli(['backup', `${file}.2`]);
    // On a loaded machine it tells on stderr how far it is.
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Backed up to .*\.2, and read back\.\n/);
    assert.match(stdout, /The master key is not in it \(check [0-9a-f]{16}\): keep a copy/);
    const archive = await readArchive(`${file}.2`);
    assert.match(stdout, new RegExp(`sha256: +${archive.sha256}\n`));
    assert.equal(archive.manifest.clients, 1);
    const [line] = (await cli.json('audit', 'list', '--limit', '1')) as unknown as object[];
    assert.partialDeepStrictEqual(line, { action: 'store.backup', target: archive.sha256 });
    assert.deepEqual(readdirSync(join(file, '..')).sort(), ['backup', 'backup.2']);
  });

  test('holds neither the master key nor a secret, and only its owner can read it', async () => {
    const grep = async (text: string) => (await runProgram('grep', ['-caF', text, file])).code;
    assert.equal(await grep(KEY.toString('base64url')), 1);
    assert.equal(await grep(made.secret), 1);
    // The control: what must be there is found by the same search.
    assert.equal(await grep(made.program), 0);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test('replaces no file, makes no data directory, and is not begun twice into one file', async () => {
    const taken = readFileSync(file);
    assertRefused(await cli(['backup', file]), /exists: a backup replaces nothing/);
    assert.ok(readFileSync(file).equals(taken));
    mkdirSync(`${file}.3.partial`);
    assertRefused(await cli(['backup', `${file}.3`]), /another backup .* remove it and repeat/);
    assertRefused(await cli(['backup', join(file, 'below')]), /ENOTDIR|ENOENT/);
    const nowhere = join(newDataDirectory(), 'nowhere');
    assertRefused(await commandLine(nowhere)(['backup', `${file}.4`]), /holds no store/);
    assert.equal(existsSync(nowhere), false);
  });

  /** Tries to restore and holds what is there afterwards against what was there before. */
  async function assertNotRestored(from: string, to: string, pattern: RegExp): Promise<void> {
    const before = contentOf(to);
    assertRefused(await commandLine(to)(['restore', from]), pattern);
    assert.deepEqual(contentOf(to), before);
  }

  test('that was damaged or cut off is refused, and nothing is written', async () => {
    const bytes = readFileSync(file);
    const data = directoryWithKey();
    const altered = `${file}.altered`;
    const half = Math.floor(bytes.length / 2);
    const middle = Buffer.from(bytes);
    middle.writeUInt8(middle.readUInt8(half) ^ 1, half);
    writeFileSync(altered, middle);
    await assertNotRestored(altered, data, /damaged or was altered: countersign\.db does not fit/);
    writeFileSync(altered, bytes.subarray(0, half));
    await assertNotRestored(altered, data, /is cut off/);
    await assertNotRestored(`${file}.missing`, data, /cannot be read/);
  });

  test('of a newer schema is refused with the version that can restore it', async () => {
    const { manifest } = await readArchive(file);
    const newer = await createArchive(`${file}.newer`, {
      ...manifest,
      schema: SCHEMA_VERSION + 1,
      version: '9.8.7',
    });
    await newer.end(0, (hash) => sealOf(new MasterKey(KEY, systemRandomness()), hash));
    await newer.close();
    const said = /has schema \d+, this Countersign knows \d+: restore it with version 9\.8\.7/;
    await assertNotRestored(`${file}.newer`, directoryWithKey(), said);
  });

  test('needs the master key that it was taken under', async () => {
    const other = directoryWithKey(Buffer.alloc(32, 8));
    await assertNotRestored(file, other, /under another master key .*give that key/);
    await assertNotRestored(file, newDataDirectory(), /master\.key does not exist: put the key/);
  });

  test('is never restored over a store, a journal, or another restore', async () => {
    await assertNotRestored(file, data, /holds a store already/);
    const journal = directoryWithKey();
    mkdirSync(join(journal, 'journal'));
    writeFileSync(join(journal, 'journal', '2026-11-22T14-10Z.1.db'), '');
    await assertNotRestored(file, journal, /a journal without its store/);
    const busy = directoryWithKey();
    mkdirSync(join(busy, 'restore.partial'));
    await assertNotRestored(file, busy, /another restore is under way/);
  });

  test('is never restored where a server runs', async () => {
    const busy = directoryWithKey();
    const server = await startServer(busy);
    try {
      assertRefused(await commandLine(busy)(['restore', file]), /^a server runs on .*: stop it/);
      const seen = await commandLine(busy).json('program', 'list');
      assert.deepEqual(seen, [], 'the store of the server is its own still');
    } finally {
      await server.stop();
    }
  });

  test('of an installation that has moved on restores to what was, and copies of it to as many stores', async () => {
    const first = directoryWithKey();
    const second = directoryWithKey();
    const copy = `${file}.copy`;
    cpSync(file, copy);
    const one = await commandLine(first).json('restore', copy);
    const two = await commandLine(second).json('restore', file);
    assert.deepEqual(readdirSync(second).sort(), ['countersign.db', 'journal', 'master.key']);
    assert.notEqual(one['incarnation'], two['incarnation']);
    const { sequence } = (await readArchive(file)).manifest;
    assert.deepEqual([one['sequence'], two['sequence']], [sequence + 1, sequence + 1]);
    const listed = await commandLine(first)(['program', 'list']);
    assert.match(listed.stdout, new RegExp(`${made.program} +suspended`));
    assert.equal((await commandLine(first).json('audit', 'verify'))['intact'], true);
  });
});
