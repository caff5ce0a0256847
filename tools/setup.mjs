/** Makes node_modules match package-lock.json, and finds the Node in it. Plain JavaScript, for the machine's own Node. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiledOf, installedNode, nodeMajorMin } from '../server/bin/launch.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

const progressEveryMs = 10_000;
const stderrKeptMax = 64 * 1024;

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} Package
 * @typedef {Package & { os?: string | string[], cpu?: string | string[], libc?: string[] }} LockedPackage
 */

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage>}
 */
const readPackages = (file) => {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages ?? {};
  } catch {
    return {};
  }
};

/** @type {(list: string | string[] | undefined, value: string) => boolean} */
const suits = (list, value) => list === undefined || [list].flat().includes(value);

/**
 * Whether a locked package must be there on this machine; which C library it has is npm's to know.
 *
 * @param {LockedPackage} locked
 */
const isNeeded = ({ optional, os, cpu, libc }) =>
  !optional ||
  (os !== undefined &&
    libc === undefined &&
    suits(os, process.platform) &&
    suits(cpu, process.arch));

/**
 * Why npm has to install, or undefined: compares the lock with npm's own record of what it installed last.
 *
 * @param {Record<string, LockedPackage>} locked
 * @param {Record<string, Package>} installed
 */
export const staleness = (locked, installed) => {
  if (Object.keys(installed).length === 0) return 'nothing is installed yet';
  for (const [path, wanted] of Object.entries(locked)) {
    const found = installed[path];
    if (path === '' || (found === undefined && !isNeeded(wanted))) continue;
    const same = found?.version === wanted.version && found?.integrity === wanted.integrity;
    if (!same) return `${path} is not the one in package-lock.json`;
  }
  const extra = Object.keys(installed).find((path) => locked[path] === undefined);
  return extra && `${extra} is not in package-lock.json`;
};

/** @type {readonly (readonly [RegExp, string])[]} */
const causes = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/,
    'the registry cannot be reached: is this machine online, and does it need a proxy (npm config set proxy)?',
  ],
  [/ENOSPC/, 'the disk is full.'],
  [/EACCES|EPERM|EROFS/, 'node_modules cannot be written: whose is it?'],
  [
    /EINTEGRITY/,
    'a download does not match package-lock.json: `npm cache clean --force`, then again.',
  ],
];

/** @type {(code: number | string | null, words: string) => Error} */
const explain = (code, words) => {
  const cause = causes.find(([pattern]) => pattern.test(words))?.[1];
  return new Error(`npm install ended with ${code}: ${cause ?? 'its own words stand above.'}`);
};

/** npm as this process can start it: the one that runs us, or the one on the PATH. */
const npm = () => {
  const path = process.env['npm_execpath'];
  if (path && basename(path) === 'npm-cli.js') return { file: process.execPath, before: [path] };
  return { file: 'npm', before: [] };
};

/** @returns {Promise<void>} */
const npmInstall = () =>
  new Promise((resolve, reject) => {
    const { file, before } = npm();
    // The Node of this project is an optional dependency and its tools are development ones: never leave them out.
    const wanted = ['--no-save', '--include=optional', '--include=dev'];
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
    const child = spawn(file, [...before, 'install', ...wanted, ...quiet], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'pipe'],
      shell: process.platform === 'win32' && file === 'npm',
    });
    let words = '';
    child.stderr.on('data', (chunk) => {
      process.stderr.write(chunk);
      words = (words + chunk).slice(-stderrKeptMax);
    });
    const began = Date.now();
    const progress = setInterval(() => {
      process.stderr.write(`  still installing, ${Math.round((Date.now() - began) / 1000)} s\n`);
    }, progressEveryMs);
    child.once('error', ({ message }) => {
      clearInterval(progress);
      reject(new Error(`npm cannot be started (${message}): is it on the PATH?`));
    });
    child.once('close', (code, signal) => {
      clearInterval(progress);
      if (code === 0) resolve();
      else reject(explain(code ?? signal, words));
    });
  });

const currentStaleness = () =>
  staleness(readPackages('package-lock.json'), readPackages('node_modules/.package-lock.json'));

/**
 * `npm install` and then a look at the result, rather than `npm ci`: that one refuses a lock without the builds of other
 * platforms, which npm leaves out when a registry does not carry them, and it empties node_modules under whoever uses it.
 */
const install = async () => {
  await npmInstall();
  const why = currentStaleness();
  if (why === undefined) return;
  throw new Error(
    `npm could not follow package-lock.json: ${why}. Run \`npm install\` and commit the lock.`,
  );
};

/** Installs what is missing and returns the path of the project's Node. Throws an Error that says what to do. */
export const setUp = async () => {
  const why = currentStaleness();
  if (why !== undefined) {
    process.stderr.write(`Installing with npm (${why}). Once, for about a minute.\n`);
    await install();
  }
  const node = installedNode(root);
  if (node !== undefined) return node;
  const machine = `${process.platform} ${process.arch}`;
  throw new Error(
    `npm brought no Node ${nodeMajorMin} that runs on ${machine}: remove node_modules and try again, or start with a newer Node.`,
  );
};

/** The environment in which the project's own commands are found first, and types are taken out of a file once. */
export const environment = () => {
  const bin = join(root, 'node_modules', '.bin');
  return {
    NODE_COMPILE_CACHE: compiledOf(root),
    ...process.env,
    PATH: [bin, process.env['PATH']].filter(Boolean).join(delimiter),
  };
};
