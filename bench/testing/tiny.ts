/** Runs a bench as a program with settings whose figures mean nothing, for tests of everything but the figures. */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** What it printed, and the report it wrote. */
export async function runTiny(t: TestContext, script: string, args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-tiny-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'figures.json');
  const all = [join(import.meta.dirname, '..', script), '--rounds', '1', '--seconds', '1', ...args];
  const ran = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [...all, '--json', file], (_, stdout, stderr) =>
      resolve({ stdout, stderr }),
    );
  });
  assert.ok(existsSync(file), `no report: ${ran.stderr}`);
  return { ...ran, report: JSON.parse(readFileSync(file, 'utf8')) };
}

/** Skips the test where wrk is missing; on a machine that is there to run them all that is a failure. */
export function isWithoutWrk(t: TestContext): boolean {
  if (spawnSync('wrk', ['--version']).error === undefined) return false;
  assert.equal(process.env['CI'], undefined, 'install wrk: tools/setup-debian.sh');
  t.skip('install wrk to run the bench: tools/setup-debian.sh');
  return true;
}
