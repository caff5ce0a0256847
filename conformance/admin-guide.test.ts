import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Json, startAuthority } from './harness.ts';
import { newProgram } from './onboarding.ts';
import { newOperator } from './operators.ts';

const run = promisify(execFile);
const guide = await readFile(new URL('../docs/operating/admin-api.md', import.meta.url), 'utf8');
const COMMAND = fileURLToPath(new URL('../server/bin/countersign.mjs', import.meta.url));

const authority = await startAuthority();
const folder = await mkdtemp(join(tmpdir(), 'countersign-guide-'));
after(async () => {
  await authority.stop();
  await rm(folder, { recursive: true, force: true });
});

const hasTools = ['curl', 'jq'].every((tool) => spawnSync(tool, ['--version']).status === 0);
const skip = hasTools || process.env['CI'] !== undefined ? false : 'there is no curl or no jq here';

test('every command in the guide to the admin API works as printed, one after the other', {
  skip,
}, async () => {
  const program = await newProgram(authority);
  const leaver = await newOperator(authority, 'auditor');
  const printed = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  assert.ok(printed.length >= 7);
  const script = printed
    .join('\n')
    .replaceAll('http://127.0.0.1:8081', authority.adminOrigin)
    .replaceAll('program_8fYk2LmQ9aXc4TzR', program)
    .replaceAll('client_admn_4Gq8Zk1LwP0xYb3N', leaver.clientId);
  const here = `countersign() { '${process.execPath}' '${COMMAND}' "$@" --data '${authority.data}'; }`;
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', `${here}\n${script}`], {
    cwd: folder,
  });
  assert.doesNotMatch(stdout, /urn:countersign:problem/);
  assert.match(stdout, /"standing":"unknown"/);

  const acme = JSON.parse(await readFile(join(folder, 'acme.json'), 'utf8')) as Json;
  const client = await authority.cli('client', 'show', String(acme['client_id']));
  assert.equal(client['token_lifetime_seconds'], 900);
  const suspended = await authority.cli('program', 'show', String(acme['program_id']));
  assert.equal(suspended['suspended_reason'], 'secret leaked');
  const operators = await authority.list('operator', 'list');
  assert.ok(!operators.some(({ client_id }) => client_id === leaver.clientId));
});
