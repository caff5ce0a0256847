#!/usr/bin/env node
/** The `countersign` command: starts main.ts under a Node that can run it. Any Node from 20 on can read this file. */

import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledOf, installedNode, isRecent, launch, nodeMajorMin } from './launch.mjs';

const here = fileURLToPath(import.meta.url);

const complain = () => {
  const mend =
    'run `npm install` in the checkout, which brings a Node of its own, or install a newer one';
  process.stderr.write(
    `countersign needs Node ${nodeMajorMin} or newer, and this is ${process.version}: ${mend}.\n`,
  );
  process.exitCode = 1;
};

/** In a checkout, types are taken out of the sources once, and not at each start in each thread. What is installed is compiled already. */
const keepCompiled = () => {
  const folder = dirname(here);
  if (!existsSync(join(folder, '..', 'src'))) return;
  process.env['NODE_COMPILE_CACHE'] ??= compiledOf(join(folder, '..', '..'));
  module.enableCompileCache();
};

if (isRecent(process.version)) {
  keepCompiled();
  await import('../src/main.ts');
} else {
  const node = installedNode(dirname(here));
  if (node === undefined) complain();
  else launch(node, [here, ...process.argv.slice(2)]);
}
