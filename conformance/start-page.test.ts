import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startAuthority } from './harness.ts';

const run = promisify(execFile);
const page = await readFile(new URL('../docs/start.md', import.meta.url), 'utf8');
const COMMAND = fileURLToPath(new URL('../server/bin/countersign.mjs', import.meta.url));

const authority = await startAuthority();
after(() => authority.stop());

const hasCurl = spawnSync('curl', ['--version']).status === 0;
const skip = hasCurl || process.env['CI'] !== undefined ? false : 'there is no curl here';

type Step = { readonly command: string; readonly output: readonly string[] };

/** What the page types, and what it says is printed then. */
function stepsOf(block: string): readonly Step[] {
  const [, ...typed] = block.split(/^\$ /m);
  return typed.map((text) => {
    const [, command = '', output = ''] = /^((?:.*\\\n)*.*)\n?([\s\S]*)$/.exec(text) ?? [];
    return { command, output: linesOf(output) };
  });
}

const linesOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line.trim() !== '');

const blocksOf = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  );

const CREDENTIAL = /\b(?:program|client_test|secret_test|sec|token_test)_[0-9A-Za-z_-]{4,}…?/g;

/** What the page calls by its own names, by the names of this run. */
const names = new Map<string, string>();

function learn(told: readonly string[], printed: readonly string[]): void {
  const [theirs, ours] = [told, printed].map((lines) => lines.join('\n').match(CREDENTIAL) ?? []);
  if (theirs?.length !== ours?.length) return;
  theirs?.forEach((name, index) => {
    names.set(name, ours?.[index] ?? '');
  });
}

/** What stays the same from run to run. */
function leveled(line: string): string {
  return line
    .replace(CREDENTIAL, 'a name')
    .replace(/\bcli:\S+/g, 'somebody')
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time')
    .replace(/"jti":"[^"]+"|^[\w-]{16}(?= )/g, 'a jti')
    .replace(/127\.0\.0\.1:\d+/g, 'here')
    .replace(/\b\d+\b/g, 'a number')
    .replace(/\s+/g, ' ')
    .trim();
}

async function typed(command: string): Promise<readonly string[]> {
  const here = `countersign() { '${process.execPath}' '${COMMAND}' "$@" --data '${authority.data}'; }`;
  let script = command.replaceAll('http://127.0.0.1:8080', authority.origin);
  for (const [name, ours] of names) script = script.replaceAll(name, ours);
  const ended = await run('bash', ['-c', `${here}\n${script}`]).catch((error) => error);
  return linesOf(`${ended.stdout}${ended.stderr}`);
}

test('the first page is true: each command prints what it shows', { skip }, async () => {
  const steps = blocksOf('console')
    .flatMap(stepsOf)
    .filter(({ command }) => command !== 'countersign serve');
  assert.ok(steps.length > 15);
  for (const { command, output } of steps) {
    const printed = await typed(command);
    const [told, found] = [output.map(leveled), printed.map(leveled)];
    if (!told.includes('…')) assert.deepEqual(found, told, command);
    else for (const line of told) assert.ok(line === '…' || found.includes(line), line);
    learn(output, printed);
  }
});

test('the first page is true: the log has the lines that it shows', { skip }, () => {
  const log = linesOf(authority.written()).map((line) => JSON.parse(line) as object);
  const [serve = ''] = blocksOf('console');
  const told = [...linesOf(serve).slice(1), ...blocksOf('json').flatMap(linesOf)];
  assert.equal(told.length, 3);
  for (const line of told) {
    const shown = JSON.parse(line) as { msg: string; reason?: string };
    const same = log.filter((one) => {
      const { msg, reason } = one as typeof shown;
      return msg === shown.msg && reason === shown.reason;
    });
    assert.notEqual(same.length, 0, line);
    assert.deepEqual(Object.keys(same[0] ?? {}), Object.keys(shown));
  }
});
