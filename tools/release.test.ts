/** What is published is installed as a stranger installs it, and checked by a stranger's compiler. It is run in runtimes.test.ts. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { stagedManifest } from './release/manifest.ts';
import { readManifest } from './release/packages.ts';
import { newProject, type Project, root } from './release/testing/project.ts';

let project: Project;
before(() => {
  project = newProject();
});
after(() => project.remove());

test('a tarball holds compiled modules with their declarations, launchers, licence and readme, and nothing else', () => {
  const kinds =
    /^(dist\/[a-z0-9/-]+\.(js|d\.ts)|bin\/[a-z-]+\.mjs|LICENSE|README\.md|package\.json)$/;
  const forTests = /\.(test|long)\.|(^|\/)(test-kit|testing|contract)\//;
  const odd = (path: string): boolean => !kinds.test(path) || forTests.test(path);
  for (const { name, files } of project.staged) {
    assert.deepEqual(files.filter(odd), [], name);
    for (const needed of ['LICENSE', 'README.md', 'package.json']) {
      assert.ok(files.includes(needed), `${name} lacks ${needed}`);
    }
  }
});

test('every path that a published file names is a file of the package', () => {
  let paths = 0;
  for (const { folder, files } of project.staged) {
    for (const file of files.filter((path) => /\.(m?js|d\.ts)$/.test(path))) {
      const text = readFileSync(join(folder, file), 'utf8');
      const named = text.matchAll(/(?:from |import\(|import |new URL\()['"](\.{1,2}\/[^'"]+)['"]/g);
      for (const [, path = ''] of named) {
        paths += 1;
        const found = join(folder, file, '..', path);
        const wanted = file.endsWith('.d.ts') ? found.replace(/\.js$/, '.d.ts') : found;
        assert.ok(existsSync(wanted), `${file} names ${path}`);
      }
    }
  }
  assert.ok(paths > 500, 'they were looked at');
});

test('a published package.json says what installs and runs, and nothing for developers', () => {
  const names = project.staged.map(({ name }) => name);
  assert.deepEqual(names.toSorted(), [
    '@countersign/client',
    '@countersign/protocol',
    '@countersign/resource-server',
    'countersign',
  ]);
  for (const { folder, name } of project.staged) {
    const staged = readManifest(folder);
    assert.equal(staged['devDependencies'], undefined);
    assert.equal(staged['scripts'], undefined);
    assert.deepEqual(staged['publishConfig'], { access: 'public', provenance: true });
    const libraries = Object.keys(staged.dependencies ?? {});
    if (name === '@countersign/resource-server') {
      assert.deepEqual(libraries, ['@countersign/protocol']);
    } else if (name !== 'countersign') assert.deepEqual(libraries, [], name);
    for (const version of Object.values(staged.dependencies ?? {})) {
      assert.match(version, /^\d+\.\d+\.\d+$/, 'an exact version');
    }
    for (const target of Object.values(staged.exports ?? {}).flatMap(Object.values)) {
      assert.ok(existsSync(join(folder, String(target))), `${name} exports ${target}`);
    }
  }
});

test('each sub-path that the workspace exports is published, and a path of another form is refused', () => {
  const place = { directory: 'kit', repository: 'https://git.example/kit.git' };
  const manifest = { name: 'kit', version: '1.0.0' };
  const exports = { '.': './src/index.ts', './deep': './src/deep/door.ts' };
  const staged = stagedManifest({ ...manifest, exports }, place);
  assert.deepEqual(staged['exports'], {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './deep': { types: './dist/deep/door.d.ts', default: './dist/deep/door.js' },
  });
  assert.deepEqual(staged['repository'], { type: 'git', url: place.repository, directory: 'kit' });
  const odd = { ...manifest, exports: { '.': './lib/index.ts' } };
  assert.throws(() => stagedManifest(odd, place), /\.\/lib\/index\.ts/);
});

test('the tool packs the same bytes again, prints how to publish them, and says what it does not know', () => {
  const tool = join(root, 'tools/release.ts');
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [tool, ...args], { encoding: 'utf8' });
  const out = join(project.folder, 'again');
  const { stdout, status } = run('stage', '--out', out);
  assert.equal(status, 0);
  for (const { tarball } of project.staged) {
    const again = join(out, basename(tarball));
    assert.ok(readFileSync(again).equals(readFileSync(tarball)), `${again} differs`);
    assert.ok(stdout.includes(`npm publish ${again}\n`));
  }
  const unknown = run('publish');
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /"publish" is nothing to do here.*Usage:/s);
});

const CONSUMER = `
import { createClient, TokenError, type Client, type ClientOptions } from '@countersign/client';
import { parseScope } from '@countersign/protocol';
import { createVerifier, type Identity } from '@countersign/resource-server';
import { newGuard } from '@countersign/resource-server/node';

const options: ClientOptions = {
  issuer: 'https://auth.bank.example/production',
  clientId: 'client',
  clientSecret: { env: 'CLIENT_SECRET' },
  api: 'https://api.bank.example',
};
const bank: Client = createClient(options);
export const answer: Promise<Response> = bank.fetch('https://api.bank.example/v1/accounts');
export const codeOf = (error: unknown): string | undefined =>
  error instanceof TokenError ? error.code : undefined;
const { issuer, clientId } = options;
const verifier = createVerifier({ issuer, clientId, clientSecret: 'secret', onOutage: () => {} });
export const guard = newGuard(verifier, { scope: 'accounts:read' });
export const programOf = ({ programId }: Identity): string => programId;
export const scope = parseScope('accounts:read');
// @ts-expect-error: the secret is not a number
createClient({ ...options, clientSecret: 7 });
// @ts-expect-error: absent, not undefined
createClient({ ...options, scope: undefined });
`;

test("the declarations stand in a stranger's strict project, with no library check left out", () => {
  const { folder, write } = project;
  const file = write('consumer.ts', CONSUMER);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false'];
  const modules = ['--module', 'nodenext', '--target', 'es2022', '--noEmit'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const args = [tsc, '--ignoreConfig', ...strict, ...modules, ...types, file];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
