import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Json, startAuthority } from './harness.ts';
import { askToken, isActive, newClient, newProgram, tokenOf } from './onboarding.ts';
import { newOperator } from './operators.ts';

const run = promisify(execFile);
const page = new URL('../docs/operating/leak-response.md', import.meta.url);
const guide = await readFile(page, 'utf8');
const COMMAND = fileURLToPath(new URL('../server/bin/countersign.mjs', import.meta.url));

const authority = await startAuthority();
const folders: string[] = [];
after(async () => {
  await authority.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});
const watcher = await newClient(authority, await newProgram(authority, 'The bank'), {
  isResourceServer: true,
});

const hasTools = ['curl', 'jq'].every((tool) => spawnSync(tool, ['--version']).status === 0);
const skip = hasTools || process.env['CI'] !== undefined ? false : 'there is no curl or no jq here';

/** All blocks of a door, in their order. */
function blocksOf(language: 'sh' | 'bash'): string {
  const blocks = [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))];
  return blocks.map(([, block = '']) => block).join('\n');
}

/** Lives through a leak as the page says, by one door, and looks at what came of it. */
async function drill(language: 'sh' | 'bash', token = ''): Promise<Json> {
  const program = await newProgram(authority, 'Example Fintech');
  const client = await newClient(authority, program);
  const leaked = await tokenOf(client);
  const folder = await mkdtemp(join(tmpdir(), 'countersign-leak-'));
  folders.push(folder);
  await writeFile(join(folder, 'found-token.txt'), `${leaked}\n`);
  const here = `countersign() { '${process.execPath}' '${COMMAND}' "$@" --data '${authority.data}'; }`;
  const script = blocksOf(language).replaceAll('http://127.0.0.1:8081', authority.adminOrigin);
  await run('bash', ['-euo', 'pipefail', '-c', `${here}\n${script}`], {
    cwd: folder,
    env: { ...process.env, TOKEN: token },
  });
  const read = async (name: string) =>
    JSON.parse(await readFile(join(folder, name), 'utf8')) as Json;
  const receipt = await read('receipt.json');
  assert.equal(receipt['complete'], true);
  assert.equal((receipt['confirmed'] as Json[]).length, 1);
  const report = await read('report.json');
  assert.deepEqual([report['client_id'], report['live']], [client.client_id, 0]);
  assert.equal((report['tokens'] as Json[]).length, 1);
  assert.equal((await read('reactivated.json'))['active'], true);
  assert.equal(await isActive(watcher, leaked), false, 'it stays dead');
  assert.equal((await askToken(client)).status, 401, 'the leaked secret has ended');
  const [claim] = await authority.list('claim', 'list', '--client', client.client_id);
  assert.equal(claim?.['state'], 'open', 'the partner can have its new one');
  return { ...receipt, program };
}

test('the runbook for a leak works as printed, by the command line', { skip }, async () => {
  const { program, sequence } = await drill('sh');
  const lines = await authority.list('audit', 'list', '--limit', '1000');
  const line = lines.find(({ change, action }) => change === sequence && action !== 'receipt');
  assert.deepEqual([line?.['action'], line?.['target']], ['program.suspend', program]);
});

test('the runbook for a leak works as printed, by the admin API, with the role of support', {
  skip,
}, async () => {
  const support = await newOperator(authority, 'support');
  const { program, sequence } = await drill('bash', support.token);
  const lines = await authority.list('audit', 'list', '--limit', '1000');
  const line = lines.find(({ change, action }) => change === sequence && action !== 'receipt');
  assert.deepEqual([line?.['action'], line?.['target']], ['program.suspend', program]);
  assert.equal(line?.['actor'], `operator:${support.clientId}`);
});

test('each step of the runbook is there for both doors', () => {
  for (const verb of ['inspect', 'suspend', 'report', 'revoke', 'reactivate', 'claim']) {
    for (const door of ['sh', 'bash'] as const) assert.ok(blocksOf(door).includes(verb), verb);
  }
});
