/** Stages the published packages: a folder and a tarball each, made from nothing but this checkout. Publishes nothing. */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { compile, compiledLauncher, declarationsOf, launchersOf } from './compile.ts';
import { stagedManifest } from './manifest.ts';
import { type Package, publishedPackages, readManifest } from './packages.ts';

export type Staged = {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  readonly tarball: string;
  /** What the tarball holds, as npm tells it. */
  readonly files: readonly string[];
};

/** Stages each package into `out`. `say` is told before each part that may take seconds. */
export function stageAll(options: {
  readonly root: string;
  readonly out: string;
  readonly say: (line: string) => void;
}): readonly Staged[] {
  const { root, out, say } = options;
  let declarations: Readonly<Record<string, readonly string[]>> = {};
  return publishedPackages(root).map((one) => {
    const target = join(out, 'stage', basename(one.folder));
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    say(`compiling ${one.manifest.name} ${one.manifest.version}`);
    compile(root, one, { target, declarations });
    declarations = { ...declarations, ...declarationsOf(one, target) };
    dress(root, one, target);
    say(`packing ${one.manifest.name}`);
    return pack(target, out);
  });
}

/** Puts beside the compiled files what a package has besides them. */
function dress(root: string, one: Package, target: string): void {
  const { folder, manifest } = one;
  for (const launcher of launchersOf(folder)) {
    mkdirSync(join(target, 'bin'), { recursive: true });
    const text = compiledLauncher(readFileSync(launcher, 'utf8'));
    writeFileSync(join(target, 'bin', basename(launcher)), text, { mode: 0o755 });
  }
  cpSync(join(root, 'LICENSE'), join(target, 'LICENSE'));
  const readme = join(folder, 'README.md');
  if (!existsSync(readme)) throw new Error(`${manifest.name} has no README.md: write it`);
  cpSync(readme, join(target, 'README.md'));
  const { repository } = readManifest(root);
  const staged = stagedManifest(manifest, { directory: relative(root, folder), repository });
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(staged, undefined, 2)}\n`);
}

type Packed = {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
};

function pack(folder: string, out: string): Staged {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', out];
  const { status, stdout, stderr, error } = spawnSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (error !== undefined) throw new Error(`npm does not start (${error.message}): is it there?`);
  if (status !== 0) throw new Error(`npm pack ended with ${status}:\n${stderr}`);
  const packed = packedOf(JSON.parse(stdout));
  return {
    name: packed.name,
    version: packed.version,
    folder,
    tarball: join(out, packed.filename),
    files: packed.files.map(({ path }) => path).sort(),
  };
}

/** npm answers with a list, newer ones with an object by name. */
function packedOf(answer: object): Packed {
  const [packed] = Object.values(answer);
  return packed as Packed;
}
