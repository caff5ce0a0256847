import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { inspect } from 'node:util';
import { createMasterKeyFile, loadMasterKey, MasterKeyError } from './master-key.ts';
import { systemRandomness } from './random.ts';

const random = systemRandomness();
const folder = await mkdtemp(join(tmpdir(), 'master-key-'));
after(() => rm(folder, { recursive: true }));

const raw = random.bytes(32);
const asHex = raw.toString('hex');
const loadValue = (value: string) => loadMasterKey({ value }, { random });
const fingerprint = (await loadValue(asHex)).fingerprint();

/** The one refusal of `promise`, which must be a MasterKeyError that shows no key. */
async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MasterKeyError, inspect(error));
  assert.ok(!inspect(error).includes(asHex.slice(0, 12)), 'the error shows the key');
  assert.equal(error.cause, undefined);
  return error.message;
}

async function fileOf(text: string, mode = 0o600): Promise<string> {
  const path = join(folder, random.bytes(8).toString('hex'));
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

test('one key in every accepted spelling is one key', async () => {
  const spellings = [
    asHex,
    asHex.toUpperCase(),
    raw.toString('base64'),
    raw.toString('base64').replace('=', ''),
    raw.toString('base64url'),
    `${raw.toString('base64url')}=`,
    ` ${asHex}\r\n`,
  ];
  for (const spelling of spellings) {
    assert.equal((await loadValue(spelling)).fingerprint(), fingerprint);
  }
  assert.match(fingerprint, /^[0-9a-f]{16}$/);
});

test('a value that is not 32 bytes in one of the spellings is refused without being shown', async () => {
  const wrong = [
    '',
    'password',
    asHex.slice(0, -1),
    asHex.slice(0, -2),
    `${asHex}00`,
    `${asHex}zz`,
    raw.subarray(0, 31).toString('base64'),
    Buffer.concat([raw, raw]).toString('base64'),
    `${raw.toString('base64url')}==`,
    `${raw.toString('base64').slice(0, -2)}~=`,
  ];
  for (const value of wrong) {
    const message = await refusalOf(loadValue(value));
    assert.match(message, /^The master key in the environment variable is not a key \(/);
    assert.match(message, new RegExp(`it has ${value.length} characters`));
  }
});

test('a created key file opens, is for its owner only, and lies there whole and alone', async () => {
  const inner = join(folder, 'created');
  await mkdir(inner);
  const path = join(inner, 'master.key');
  await createMasterKeyFile(path, random);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(inner), ['master.key']);
  const master = await loadMasterKey({ file: path }, { random });
  const text = await readFile(path, 'utf8');
  assert.match(text, /^[A-Za-z0-9_-]{43}\n$/);
  assert.equal((await loadValue(text)).fingerprint(), master.fingerprint());
});

test('creating never replaces a key, and of many at once exactly one wins', async () => {
  const path = join(folder, 'contested.key');
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => createMasterKeyFile(path, random)),
  );
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  const before = await readFile(path, 'utf8');
  assert.match(await refusalOf(createMasterKeyFile(path, random)), /exists already/);
  assert.equal(await readFile(path, 'utf8'), before);
  const left = (await readdir(folder)).filter((name) => name.endsWith('.new'));
  assert.deepEqual(left, []);
});

test('a key file that cannot be written is one sentence', async () => {
  const path = join(folder, 'nowhere', 'master.key');
  assert.match(await refusalOf(createMasterKeyFile(path, random)), /cannot be written \(ENOENT\)/);
});

test('a missing key file says so', async () => {
  const file = join(folder, 'absent.key');
  const message = await refusalOf(loadMasterKey({ file }, { random }));
  assert.equal(
    message,
    `The master key file ${file} does not exist: put the key this store was created with there.`,
  );
});

const windows = process.platform === 'win32' && 'Windows has no permission bits';

test('a key file that others can read or write is refused with the command that mends it', {
  skip: windows,
}, async () => {
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o601, 0o644, 0o666]) {
    const file = await fileOf(asHex, mode);
    const message = await refusalOf(loadMasterKey({ file }, { random }));
    assert.ok(message.endsWith(`run "chmod 600 ${file}".`), message);
  }
  for (const mode of [0o600, 0o400]) {
    const file = await fileOf(asHex, mode);
    assert.equal((await loadMasterKey({ file }, { random })).fingerprint(), fingerprint);
  }
});

test('a key file that holds no key, too much, or is a directory is refused', async () => {
  const file = async (text: string) => loadMasterKey({ file: await fileOf(text) }, { random });
  assert.match(await refusalOf(file('')), /is not a key \(it has 0 characters\)/);
  assert.match(await refusalOf(file(asHex.slice(2))), /is not a key \(it has 62 characters\)/);
  assert.match(await refusalOf(file(`${asHex}\n`.repeat(100))), /is too long to be one/);
  const asFolder = loadMasterKey({ file: folder }, { random });
  assert.match(await refusalOf(asFolder), /is not a file/);
});

test('a command gives the key by printing it', async () => {
  const master = await loadMasterKey({ command: `printf '%s\\n' ${asHex}` }, { random });
  assert.equal(master.fingerprint(), fingerprint);
});

test('a failing command is reported without anything it printed', async () => {
  const command = `echo ${asHex}; echo ${asHex} >&2; exit 3`;
  const message = await refusalOf(loadMasterKey({ command }, { random }));
  assert.equal(
    message,
    'The master key command failed with exit code 3: ' +
      'run it by hand to see why (its output is not shown here).',
  );
});

test('a command that prints something else, or without end, is refused', async () => {
  const wrong = loadMasterKey({ command: 'echo no key today' }, { random });
  assert.match(await refusalOf(wrong), /^The master key in the output of the command is not a key/);
  const endless = loadMasterKey({ command: 'while :; do echo y; done' }, { random });
  assert.match(await refusalOf(endless), /printed too much to be a key/);
});

test('a command that does not end is ended', async () => {
  const slow = loadMasterKey({ command: 'exec sleep 60' }, { random, commandLimitMs: 50 });
  assert.match(await refusalOf(slow), /took longer than 0.05 s/);
});

test('a wrapped key opens under its name and its master key only', async () => {
  const master = await loadValue(asHex);
  const root = random.bytes(32);
  const wrapped = master.wrap(root, 'token/sandbox/1');
  assert.deepEqual(master.unwrap(wrapped, 'token/sandbox/1'), root);
  assert.notEqual(master.wrap(root, 'token/sandbox/1'), wrapped);

  const other = await loadValue(random.bytes(32).toString('hex'));
  const madeUnderAnother = {
    name: 'MasterKeyError',
    message: /token\/sandbox\/1 in the store was made under another master key/,
  };
  assert.throws(() => other.unwrap(wrapped, 'token/sandbox/1'), madeUnderAnother);
  for (const name of ['token/sandbox/2', 'secret/sandbox/1', 'token/production/1', '']) {
    assert.throws(() => master.unwrap(wrapped, name), MasterKeyError);
  }
});

test('a wrapped key with any bit changed, or cut short, is refused', async () => {
  const master = await loadValue(asHex);
  const bytes = Buffer.from(master.wrap(random.bytes(32), 'n'), 'base64url');
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    assert.throws(() => master.unwrap(changed.toString('base64url'), 'n'), MasterKeyError);
    const cut = bytes.subarray(0, at).toString('base64url');
    assert.throws(() => master.unwrap(cut, 'n'), MasterKeyError);
  }
});

test('a master key prints its fingerprint and nothing else', async () => {
  const master = await loadValue(asHex);
  assert.equal(inspect(master), `MasterKey(${fingerprint})`);
  assert.equal(inspect(master, { customInspect: false, showHidden: true }), 'MasterKey {}');
  assert.equal(JSON.stringify(master), '{}');
});
