import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startAuthority } from './harness.ts';
import { declareScopes, newClient, newProgram } from './onboarding.ts';

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL('../server/bin/countersign.mjs', import.meta.url));
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

test('the commands in the guide to onboarding make a link that shows its secret to whoever has the passphrase', async () => {
  const onboarding = await readFile(
    new URL('../docs/guides/onboarding.md', import.meta.url),
    'utf8',
  );
  const block = onboarding.match(/^ +```sh\n([\s\S]*?)^ +```$/m)?.[1];
  assert.ok(block !== undefined, 'the guide has commands');
  const script = block.replace('program_8fYk2LmQ9aXc4TzR', program);
  const here = `countersign() { '${process.execPath}' '${COMMAND}' "$@" --data '${authority.data}'; }`;
  const { stdout } = await run('bash', ['-euc', `${here}\n${script}`]);
  const printed = (name: string): string =>
    new RegExp(`^${name}: +(\\S+)$`, 'm').exec(stdout)?.[1] ?? assert.fail(`${name} is printed`);
  const form = { action: 'reveal', passphrase: printed('claim_passphrase') };
  const shown = await fetch(printed('claim_url'), {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  assert.match(await shown.text(), /secret_test_[0-9A-Za-z]{49}/);
  const id = printed('client_id');
  const [claim] = await authority.list('claim', 'list', '--client', id);
  assert.deepEqual([claim?.['state'], claim?.['used_from']], ['used', '127.0.0.1']);
});
