import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { startAuthority } from './harness.ts';
import { declareScopes, newClient, newProgram } from './onboarding.ts';

const run = promisify(execFile);
const guide = await readFile(new URL('../docs/guides/partner.md', import.meta.url), 'utf8');

const authority = await startAuthority();
after(() => authority.stop());
await declareScopes(authority, ['accounts:read']);
const program = await newProgram(authority);
const client = await newClient(authority, program, { scope: 'accounts:read' });
const env = {
  ...process.env,
  ISSUER: authority.issuer(),
  CLIENT_ID: client.client_id,
  CLIENT_SECRET: client.client_secret,
};

/** The first block of that language in the guide. */
const blockOf = (language: string): string => {
  const block = guide.match(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm'))?.[1];
  assert.ok(block !== undefined, `the guide has a block of ${language}`);
  return block;
};

const hasCurl = spawnSync('curl', ['--version']).status === 0;
const skip = hasCurl || process.env['CI'] !== undefined ? false : 'there is no curl here';

test('the command in the guide for partners gets a token, as the guide shows it', {
  skip,
}, async () => {
  const { stdout } = await run('sh', ['-c', blockOf('sh')], { env });
  const granted = JSON.parse(stdout);
  const shown = JSON.parse(blockOf('json'));
  assert.deepEqual({ ...granted, access_token: '' }, { ...shown, access_token: '' });
  assert.match(granted.access_token, /^token_test_[A-Za-z0-9_-]+$/);
});

test('the snippet in the guide for partners runs as printed, and shares one token', async () => {
  const issued = async () => await authority.list('token', 'list', '--client', client.client_id);
  const before = (await issued()).length;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', blockOf('js')], {
    env,
    cwd: import.meta.dirname,
  });
  assert.equal(stdout, 'one token, used twice\n');
  assert.equal((await issued()).length, before + 1);
});
