/** Compiles what a package's entries reach, and nothing else, to JavaScript with declarations; knows nothing of packing. */

import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTestPath } from '../tidy/source.ts';
import { compiledPath } from './manifest.ts';
import type { Package } from './packages.ts';

const WORKER_URL = /new URL\('(\.{1,2}\/[^']+\.ts)', import\.meta\.url\)/g;
const LAUNCHED = /import\('\.\.\/src\/([^']+)\.ts'\)/g;
/** What tsc leaves as it is: a path in a declaration, and the URL of a worker. */
const LEFT_AS_TS = /(from |import\(|import |new URL\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g;

/**
 * Compiles `one` into `target/dist`, and puts its launchers into `target/bin`. `declarations` says where those of the packages before
 * are, so that none of their sources is compiled in.
 */
export function compile(
  root: string,
  one: Package,
  options: {
    readonly target: string;
    readonly declarations: Readonly<Record<string, readonly string[]>>;
  },
): void {
  const { folder, manifest } = one;
  const { target, declarations } = options;
  const config = join(target, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        noEmitOnError: true,
        target: 'es2022',
        // What nobody can import needs no types.
        declaration: manifest.exports !== undefined,
        rewriteRelativeImportExtensions: true,
        rootDir: join(folder, 'src'),
        outDir: join(target, 'dist'),
        typeRoots: [join(root, 'node_modules/@types')],
        paths: declarations,
      },
      files: entriesOf(one),
      include: [],
    }),
  );
  runCompiler(root, config, manifest.name);
  rmSync(config);
  rewriteAll(join(target, 'dist'));
}

/** Where the declarations of a staged package are, as the compiler's `paths` say it. */
export function declarationsOf(one: Package, target: string): Record<string, readonly string[]> {
  const { name, exports = {} } = one.manifest;
  const entries = Object.entries(exports).map(([path, source]) => {
    return [`${name}${path.slice(1)}`, [join(target, compiledPath(source, '.d.ts'))]] as const;
  });
  return Object.fromEntries(entries);
}

/** Copies a launcher, which then starts the compiled program. */
export function compiledLauncher(text: string): string {
  return text.replaceAll(LAUNCHED, "import('../dist/$1.js')");
}

/** The files that are entered from outside: exports, what launchers import, and the files of workers. */
function entriesOf({ folder, manifest }: Package): readonly string[] {
  const exported = Object.values(manifest.exports ?? {}).map((path) => join(folder, path));
  const launched = launchersOf(folder).flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(LAUNCHED)].map(([, it]) =>
      join(folder, `src/${it}.ts`),
    ),
  );
  const sources = globSync('src/**/*.ts', { cwd: folder }).filter((path) => !isTestPath(path));
  const workers = sources.flatMap((path) =>
    [...readFileSync(join(folder, path), 'utf8').matchAll(WORKER_URL)].map(([, it = '']) =>
      join(folder, path, '..', it),
    ),
  );
  return [...new Set([...exported, ...launched, ...workers])];
}

/** The launchers of a package, which are plain JavaScript. */
export function launchersOf(folder: string): readonly string[] {
  const bin = join(folder, 'bin');
  return existsSync(bin) ? readdirSync(bin).map((name) => join(bin, name)) : [];
}

function runCompiler(root: string, config: string, name: string): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', config], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return;
  throw new Error(`${name} does not compile:\n${stdout}${stderr}`);
}

function rewriteAll(dist: string): void {
  for (const path of globSync('**/*.{js,d.ts}', { cwd: dist })) {
    const file = join(dist, path);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll(LEFT_AS_TS, '$1$2$3.js$2'));
  }
}
