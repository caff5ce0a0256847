import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { explainedReasons } from '../server/src/operations/explained-reasons.ts';
import { deadLinks } from './docs/dead-links.ts';
import { type Page, pages, stalePages } from './docs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const inFolder = <T>(files: readonly Page[], look: (folder: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'docs-'));
  try {
    for (const { path, text } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return look(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const pageNamed = (name: string): string => pages().find(({ path }) => path.endsWith(name))!.text;

describe('generated pages', () => {
  it('count as stale when one was edited by hand or is missing, and not otherwise', () => {
    const [first, ...others] = pages() as [Page, ...Page[]];
    assert.deepEqual(inFolder([first, ...others], stalePages), []);
    assert.deepEqual(inFolder([{ ...first, text: `${first.text}\n` }, ...others], stalePages), [
      first.path,
    ]);
    assert.deepEqual(inFolder(others, stalePages), [first.path]);
  });

  it('leave no hole where a value was expected', () => {
    for (const { path, text } of pages()) assert.doesNotMatch(text, /undefined|\[object/, path);
  });

  it('name every reason that the code can give, and none that it cannot', () => {
    const source = globSync(['protocol/src/**/*.ts', 'server/src/**/*.ts'], { cwd: root })
      .filter((path) => !/\.test\.ts$|(refusal|wire|bearer)\.ts$/.test(path))
      .map((path) => readFileSync(join(root, path), 'utf8'))
      .join('\n');
    const given = (reason: string): boolean => source.includes(`refuse('${reason}'`);
    const page = pageNamed('errors.md');
    for (const reason of Object.keys(explainedReasons)) {
      assert.ok(given(reason), `${reason} is given by some endpoint`);
      assert.ok(page.includes(`\n| \`${reason}\``), `${reason} is on the page`);
    }
  });
});

describe('prose', () => {
  it('that names a file which is not there is found, whether as a link or as a path', () => {
    const text = '[a](docs/a.md#x) [b](b.md)\n`tools/gone.ts` and `tools/docs.ts`\n[c](https://c)';
    const files = [
      { path: 'README.md', text },
      { path: 'docs/a.md', text: '[up](../README.md)' },
      { path: 'tools/docs.ts', text: '' },
    ];
    assert.deepEqual(inFolder(files, deadLinks), [
      { path: 'README.md', line: 1, target: 'b.md' },
      { path: 'README.md', line: 2, target: 'tools/gone.ts' },
    ]);
  });
});
