import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import {
  assertRefused,
  assertWrongUsage,
  commandLine,
  runProgram,
} from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, introspect, onboard, requestToken } from '../testing/onboarding.ts';
import { startServer } from '../testing/running-server.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const SANDBOX = ['--environment', 'sandbox'];

type Listed = Record<string, unknown>;

async function sandboxKeys(cli: ReturnType<typeof commandLine>): Promise<readonly Listed[]> {
  const keys = (await cli.json('keys', 'list')) as unknown as readonly Listed[];
  return keys.filter((key) => key['environment'] === 'sandbox');
}

describe('keys', () => {
  const data = newDataDirectory();
  const cli = commandLine(data);

  test('a new store has one key of each purpose in each environment, and no list shows a key', async () => {
    const { stdout } = await cli(['keys', 'list']);
    assert.equal(stdout.match(/newest/g)?.length, 4);
    const keys = (await cli.json('keys', 'list')) as unknown as readonly Listed[];
    for (const key of keys) {
      const { created_at, live_secrets, ...rest } = key;
      assert.deepEqual(Object.keys(rest), ['environment', 'purpose', 'version', 'state']);
      assert.ok(created_at);
      assert.equal(live_secrets, key['purpose'] === 'secret' ? 0 : undefined);
    }
  });

  test('a rotation adds a version, and the one before says how long it opens tokens', async () => {
    const rotated = await cli.json('keys', 'rotate', ...SANDBOX);
    assert.deepEqual(
      [rotated['purpose'], rotated['version'], rotated['changed'], rotated['complete']],
      ['token', 2, true, true],
    );
    const [first, second] = await sandboxKeys(cli);
    assert.deepEqual([first?.['state'], second?.['state']], ['needed', 'newest']);
    const restMs =
      Date.parse(String(first?.['retirable_at'])) - Date.parse(String(second?.['created_at']));
    assert.equal(restMs, 25 * 60 * 60 * 1000);
    const { stdout } = await cli(['keys', 'list']);
    assert.match(stdout, /sandbox +token +1 +opens tokens until \d{4}-/);
  });

  test('a key that a token may need is not retired, nor the newest: each refusal says what to do', async () => {
    assertRefused(
      await cli(['keys', 'retire', ...SANDBOX, '--version', '1']),
      /may open live tokens until .* --emergency/,
    );
    assertRefused(await cli(['keys', 'retire', ...SANDBOX, '--version', '2']), /is the newest/);
    assertRefused(await cli(['keys', 'retire', ...SANDBOX, '--version', '7']), /no token key 7/);
    const pepper = ['--version', '1', '--purpose', 'secret'];
    assertRefused(
      await cli(['keys', 'retire', ...SANDBOX, ...pepper]),
      /countersign keys rotate --environment sandbox --purpose secret/,
    );
    assertRefused(
      await cli(['keys', 'rotate', '--environment', 'moon']),
      /no environment moon; there are: sandbox, production/,
    );
    assertRefused(await cli(['keys', 'rotate', ...SANDBOX, '--purpose', 'x']), /token or secret/);
  });

  test('an emergency needs a reason, is for token keys, and is done once', async () => {
    const retire = ['keys', 'retire', ...SANDBOX, '--version', '1'];
    assertWrongUsage(await cli([...retire, '--emergency']), /--emergency needs a --reason/);
    assertWrongUsage(await cli([...retire, '--reason', 'x']), /--reason goes with --emergency/);
    assertWrongUsage(await cli(['keys', 'retire', ...SANDBOX]), /--version N is missing/);
    const emergency = [...retire, '--emergency', '--reason', 'seen in a dump'];
    assertRefused(await cli([...emergency, '--purpose', 'secret']), /for token keys/);
    const done = await cli.json(...emergency);
    assert.deepEqual([done['changed'], done['new_version']], [true, 3]);
    const states = (await sandboxKeys(cli))
      .filter((key) => key['purpose'] === 'token')
      .map((key) => key['state']);
    assert.deepEqual(states, ['retired', 'retired', 'newest']);
    const again = await cli.json(...emergency);
    assert.deepEqual([again['changed'], again['sequence']], [false, done['sequence']]);
    const audit = (await cli.json('audit', 'list')) as unknown as readonly Listed[];
    const line = audit.find(({ action }) => action === 'key.retire-all');
    assert.deepEqual(line?.['detail'], { reason: 'seen in a dump', retired: [1, 2], added: 3 });
  });

  test('a pepper that no secret needs is retired', async () => {
    await cli.json('keys', 'rotate', ...SANDBOX, '--purpose', 'secret');
    const pepper = ['--version', '1', '--purpose', 'secret'];
    const { stdout } = await cli(['keys', 'list']);
    assert.match(stdout, /sandbox +secret +1 +unused: may be retired +\S+ +0\n/);
    const done = await cli(['keys', 'retire', ...SANDBOX, ...pepper]);
    assert.match(done.stdout, /^Retired: version 1 opens nothing/);
    const again = await cli(['keys', 'retire', ...SANDBOX, ...pepper]);
    assert.match(again.stdout, /^Was retired already/);
  });
});

/** All files of a data directory as text, journal and logs of the database too. */
function everyFile(data: string): string {
  return readdirSync(data, { recursive: true })
    .map((name) => join(data, String(name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

test('a rewrap changes the master key and nothing else: the old is refused, tokens and secrets go on', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  for (let round = 0; round < 3; round += 1) await cli.json('keys', 'rotate', ...SANDBOX);
  const emergency = ['--version', '2', '--emergency', '--reason', 'x'];
  await cli.json('keys', 'retire', ...SANDBOX, ...emergency);
  const [client, asker, wrapped] = await asOperator(data, async (context) => [
    await onboard(context),
    await onboard(context, { resourceServer: true }),
    (await context.directory.keys(0)).map((key) => key.wrapped),
  ]);
  const file = join(newDataDirectory(), 'new.key');
  const rewrap = ['keys', 'rewrap', '--new-master-key-file', file];
  const server = await startServer(data);
  const token = await requestToken(server.url, client);
  assert.ok(token);
  assertRefused(await cli(rewrap), /a server runs .*node-.*stop every server/);
  await server.stop('SIGKILL');
  const keptBefore = everyFile(data);
  for (const one of wrapped) assert.ok(keptBefore.includes(one));
  // The row of the server that was killed is in nobody's way. The key file is there from the first attempt.
  const done = await cli.json(...rewrap);
  assert.deepEqual([done['keys'], done['made_file']], [10, undefined]);
  assert.match(String(done['master_key_check']), /^[0-9a-f]{16}$/);
  const kept = everyFile(data);
  for (const one of wrapped) assert.ok(!kept.includes(one), 'the old master key opens nothing');
  assertRefused(await cli(['keys', 'list']), /another master key/);

  const env = { COUNTERSIGN_MASTER_KEY_FILE: file };
  const again = await startServer(data, { env });
  assert.equal(await introspect(again.url, asker, token), 'active');
  assert.ok(await requestToken(again.url, client));
  await again.stop('SIGKILL');
  const withNew = (argv: readonly string[], more: Record<string, string> = {}) =>
    runProgram(process.execPath, [MAIN, ...argv, '--data', data], { env: { ...env, ...more } });
  assertRefused(await withNew(rewrap), /the new master key is the present one/);
  assertWrongUsage(await withNew(['keys', 'rewrap']), /give the new master key/);
  const value = Buffer.alloc(32, 'k').toString('hex');
  const back = await withNew(['keys', 'rewrap', '--json'], { COUNTERSIGN_NEW_MASTER_KEY: value });
  assert.equal(back.code, 0, back.stderr);
  assert.ok(!back.stdout.includes(value));
  const verified = await runProgram(process.execPath, [MAIN, 'audit', 'verify', '--data', data], {
    env: { COUNTERSIGN_MASTER_KEY: value },
  });
  assert.equal(verified.code, 0, verified.stderr);
});

test('after a restore the keys before it are retired, and retiring one of them again has a receipt', async () => {
  const [data, restored] = [newDataDirectory(), join(newDataDirectory(), 'restored')];
  const file = join(newDataDirectory(), 'backup');
  const cli = commandLine(data);
  await cli.json('keys', 'rotate', ...SANDBOX);
  await cli.json('backup', file);
  const env = { COUNTERSIGN_MASTER_KEY_FILE: join(data, 'master.key') };
  const run = async (...argv: readonly string[]) => {
    const command = [MAIN, ...argv, '--data', restored, '--json'];
    const ran = await runProgram(process.execPath, command, { env });
    assert.equal(ran.code, 0, ran.stderr);
    return JSON.parse(ran.stdout) as Listed;
  };
  await run('restore', file);
  const keys = (await run('keys', 'list')) as unknown as readonly Listed[];
  const states = keys
    .filter((key) => key['environment'] === 'sandbox' && key['purpose'] === 'token')
    .map((key) => key['state']);
  assert.deepEqual(states, ['retired', 'retired', 'newest']);
  const retire = ['keys', 'retire', ...SANDBOX, '--version', '1'];
  const again = await run(...retire, '--emergency', '--reason', 'x');
  assert.deepEqual([again['changed'], again['complete']], [false, true]);
  assert.ok(Number(again['sequence']) > 0);
});
