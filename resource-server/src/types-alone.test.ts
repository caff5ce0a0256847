import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const installed = join(root, 'node_modules');

const COMPILER = {
  ...{ target: 'es2024', lib: ['es2024'], module: 'nodenext', types: ['node'], strict: true },
  ...{ noEmit: true, allowImportingTsExtensions: true, exactOptionalPropertyTypes: true },
  ...{ erasableSyntaxOnly: true, skipLibCheck: true },
};

/** What the compiler says to a service that imports these and has installed these frameworks alone. */
async function complaintsOf(imports: readonly string[], frameworks: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-types-'));
  try {
    const modules = join(folder, 'node_modules');
    await mkdir(join(modules, '@countersign'), { recursive: true });
    await mkdir(join(modules, '@types'));
    // Copied, or their imports would be looked up from where they lie.
    for (const name of ['resource-server', 'protocol']) {
      const to = join(modules, '@countersign', name);
      await cp(join(root, name), to, { recursive: true, filter: (path) => !/test/.test(path) });
    }
    for (const name of ['@types/node', ...frameworks]) {
      await symlink(join(installed, name), join(modules, name));
    }
    const lines = imports.map((name, n) => `export * as n${n} from '@countersign/${name}';`);
    await writeFile(join(folder, 'service.ts'), lines.join('\n'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const settings = { compilerOptions: COMPILER, files: ['service.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    return await compile(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compile(folder: string): Promise<string> {
  const home = join(installed, 'typescript');
  const { bin } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
  const args = [join(home, bin.tsc), '-p', folder];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

test('the types of each framework are needed by its own import alone', async () => {
  const plain = ['resource-server', 'resource-server/node', 'resource-server/express'];
  const [none, fastify, hono, missing] = await Promise.all([
    complaintsOf(plain, []),
    complaintsOf([...plain, 'resource-server/fastify'], ['fastify']),
    complaintsOf([...plain, 'resource-server/hono'], ['hono']),
    complaintsOf(['resource-server/fastify'], ['hono']),
  ]);
  assert.deepEqual([none, fastify, hono], ['', '', '']);
  assert.match(missing, /Cannot find module 'fastify'/, 'what is not installed is noticed here');
});
