/** `node tools/release.ts stage`: compiles and packs what is published. Publishing is left to whoever reads its last lines. */

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stageAll } from './release/stage.ts';

const HELP = `Usage: node tools/release.ts stage [--out DIR]

Compiles each package that is published to JavaScript with declarations, and packs it. Publishes nothing.

  --out DIR   where to put tarballs, and stage/ with what is in them (default: dist)
  --help      this text`;

const root = resolve(import.meta.dirname, '..');

function stage(out: string): void {
  const beganMs = performance.now();
  mkdirSync(out, { recursive: true });
  const say = (line: string): void => {
    console.error(`${((performance.now() - beganMs) / 1000).toFixed(1)} s  ${line}`);
  };
  const staged = stageAll({ root, out, say });
  say('done');
  for (const { name, version, files, tarball } of staged) {
    console.log(`${name} ${version}: ${files.length} files, ${tarball}`);
  }
  console.log('\nNothing is published. To publish, in this order:');
  for (const { tarball } of staged) console.log(`  npm publish ${tarball}`);
}

function run(args: readonly string[]): void {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { out: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(HELP);
    return;
  }
  const [verb, ...rest] = positionals;
  if (verb !== 'stage' || rest.length > 0) {
    throw new Error(`"${positionals.join(' ')}" is nothing to do here: say stage\n\n${HELP}`);
  }
  stage(resolve(values.out ?? join(root, 'dist')));
}

try {
  run(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
