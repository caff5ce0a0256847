/** `node tools/setup-runtimes.mjs`: installs Deno, Bun and workerd beside this file, for the tests of the packed client. Plain JavaScript. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('runtimes/', import.meta.url));
process.stderr.write('Installing Deno, Bun and workerd (about 350 MB on disk), unless they are.\n');
const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
const { status, error } = spawnSync('npm', args, {
  cwd: folder,
  stdio: ['ignore', 'inherit', 'inherit'],
  shell: process.platform === 'win32',
});
if (error !== undefined) process.stderr.write(`npm does not start: ${error.message}\n`);
process.exitCode = status ?? 1;
