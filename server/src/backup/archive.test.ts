import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MasterKey } from '../credentials/key-wrapping.ts';
import { systemRandomness } from '../credentials/random.ts';
import { newDataDirectory } from '../testing/data.ts';
import { type Archive, BackupRefused, createArchive, readArchive } from './archive.ts';
import { requireSeal, sealOf } from './seal.ts';

const masterKey = new MasterKey(Buffer.alloc(32, 7), systemRandomness());
const PARTS = { 'countersign.db': 'main\n{}\n', 'journal/2026-11-22T14-10Z.1.db': '' };
const MANIFEST = {
  version: '0.1.0',
  schema: 2,
  incarnation: 'x',
  sequence: 5,
  takenAtMs: 1,
  auditHead: { sequence: 9, hash: '' },
  masterKeyCheck: masterKey.fingerprint(),
  programs: 1,
  clients: 1,
  secrets: 1,
};

async function sampleArchive(): Promise<string> {
  const folder = newDataDirectory();
  const path = join(folder, 'backup');
  const archive = await createArchive(path, MANIFEST);
  for (const [name, text] of Object.entries(PARTS)) {
    writeFileSync(join(folder, 'part'), text);
    await archive.add(name, join(folder, 'part'));
  }
  await archive.end(3, (hash) => sealOf(masterKey, hash));
  await archive.close();
  return path;
}

/** As restore does: all checksums, then the seal. */
async function checked(path: string): Promise<Archive> {
  const archive = await readArchive(path);
  requireSeal(masterKey, archive, path);
  return archive;
}

test('what is put into a backup comes out of it, and only its owner can read the file', async () => {
  const path = await sampleArchive();
  const found: Record<string, string> = {};
  const archive = await readArchive(path, (name) => {
    found[name] = '';
    return (chunk) => {
      found[name] += chunk?.toString() ?? '';
    };
  });
  assert.deepEqual(found, PARTS);
  assert.deepEqual(archive.manifest, MANIFEST);
  assert.deepEqual(
    [archive.parts, archive.tokens, archive.bytes],
    [2, 3, readFileSync(path).length],
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(createArchive(path, MANIFEST), /EEXIST/);
});

test('no byte of a backup can be altered, left out or added unseen', async () => {
  const path = await sampleArchive();
  const bytes = readFileSync(path);
  await checked(path);
  const altered = `${path}.altered`;
  for (let at = 0; at < bytes.length; at += 1) {
    const bit = 1 << (at % 8);
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(at) ^ bit, at);
    writeFileSync(altered, copy);
    await assert.rejects(checked(altered), BackupRefused, `bit ${bit} of byte ${at}`);
    writeFileSync(altered, bytes.subarray(0, at));
    await assert.rejects(checked(altered), BackupRefused, `cut off after ${at} bytes`);
  }
  writeFileSync(altered, Buffer.concat([bytes, Buffer.from('\n')]));
  await assert.rejects(checked(altered), /stands behind its end/);
});

test('whoever has not the master key cannot make a backup that is taken for one', async () => {
  const path = await sampleArchive();
  const other = new MasterKey(Buffer.alloc(32, 8), systemRandomness());
  const forged = await createArchive(`${path}.forged`, MANIFEST);
  await forged.end(0, (hash) => sealOf(other, hash));
  await forged.close();
  await assert.rejects(checked(`${path}.forged`), /was altered: its seal/);
});

test('a backup in a later format is told from a file that is none', async () => {
  const path = await sampleArchive();
  const text = readFileSync(path, 'latin1');
  writeFileSync(path, text.replace('backup 1\n', 'backup 2\n'), 'latin1');
  await assert.rejects(readArchive(path), /format 2, this Countersign knows 1: restore it with/);
  writeFileSync(path, 'SQLite format 3\n');
  await assert.rejects(readArchive(path), /is no backup of Countersign/);
  await assert.rejects(readArchive(`${path}.missing`), /cannot be read/);
});

test('a part cannot name a place outside of the directory that it is restored to', async () => {
  const path = await sampleArchive();
  const archive = await createArchive(`${path}.2`, MANIFEST);
  for (const name of ['../x.db', 'journal/../x.db', '/etc/x.db', 'master.key', 'journal/..db']) {
    await assert.rejects(archive.add(name, path), RangeError, name);
  }
  await archive.close();
});
