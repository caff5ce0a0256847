/** Everything CI does, in turn: format and lint, types, dead code, tidiness, tests. Stops at the first that fails. */

import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runSet } from './run-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

/** Cheapest first. Each is quiet unless it fails. */
const steps: readonly { readonly name: string; readonly command: string }[] = [
  { name: 'format and lint', command: 'biome check --error-on-warnings' },
  { name: 'tidiness', command: 'node tools/tidy.ts' },
  { name: 'generated pages and links', command: 'node tools/docs.ts --check' },
  { name: 'types', command: 'tsc -p .' },
  { name: 'dead code', command: 'knip' },
];

const say = (mark: string, name: string, beganMs: number): void => {
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  console.log(`${mark} ${name} (${seconds} s)`);
};

const passes = ({ name, command }: (typeof steps)[number]): boolean => {
  const beganMs = performance.now();
  const { status, stdout, stderr } = spawnSync(command, {
    cwd: root,
    // The commands above are constants; the shell finds npm's start scripts on every platform.
    shell: true,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: [bin, process.env['PATH']].join(delimiter) },
  });
  const passed = status === 0;
  if (!passed) console.log(`${stdout}${stderr}`);
  say(passed ? '✔' : '✖', passed ? name : `${name}: ${command}`, beganMs);
  return passed;
};

const check = async (): Promise<boolean> => {
  if (!steps.every(passes)) return false;
  const { passed, complaints } = await runSet('all');
  for (const complaint of complaints) console.error(complaint);
  return passed;
};

if (!(await check())) process.exitCode = 1;
