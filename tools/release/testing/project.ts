/** A project of somebody else: an empty folder into which the packed packages are installed, without a network. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Staged, stageAll } from '../stage.ts';

export const root = join(import.meta.dirname, '../../..');

export type Project = {
  readonly folder: string;
  readonly staged: readonly Staged[];
  /** Writes a file into it. */
  readonly write: (name: string, text: string) => string;
  readonly remove: () => void;
};

/** Packs everything, and installs the libraries. */
export function newProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-packed-'));
  const staged = stageAll({ root, out: join(folder, 'packed'), say: () => {} });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  write('package.json', '{ "name": "partner", "private": true, "type": "module" }');
  const libraries = staged.filter(({ name }) => name.startsWith('@countersign/'));
  const quiet = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const install = ['install', ...quiet, ...libraries.map(({ tarball }) => tarball)];
  const { status, stderr } = spawnSync('npm', install, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm install ended with ${status}:\n${stderr}`);
  for (const name of ['probe', 'guard-probe', 'api']) {
    const source = readFileSync(join(import.meta.dirname, `${name}.ts`), 'utf8');
    // A Node 20 reads no types, and neither does an edge runtime.
    write(`${name}.mjs`, stripTypeScriptTypes(source));
  }
  write('program.mjs', PROGRAM);
  write('serve-api.mjs', API);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { folder, staged, write, remove };
}

/** Unpacks a tarball of npm into a folder. */
export function unpack(tarball: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const args = ['-xzf', tarball, '-C', folder, '--strip-components=1'];
  const { status, stderr } = spawnSync('tar', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar ended with ${status}:\n${stderr}`);
}

const PROGRAM = `import { readFileSync } from 'node:fs';
import * as sdk from '@countersign/client';
import * as guard from '@countersign/resource-server';
import { probe } from './probe.mjs';
import { probeGuard } from './guard-probe.mjs';
const { guard: asked, ...settings } = JSON.parse(readFileSync('settings.json', 'utf8'));
const wrong = [...(await probeGuard(guard, asked)), ...(await probe(sdk, settings))];
console.log('wrong', JSON.stringify(wrong));
`;

const API = `import * as root from '@countersign/resource-server';
import * as guards from '@countersign/resource-server/node';
import { startApi } from './api.mjs';
const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env;
startApi(root, guards, { issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET });
`;
