/** `node tools/run-tests.ts [all|unit|long]`: runs a set of test files; no test at all, or a file that holds none, is a failure. */

import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const sets: Readonly<Record<string, readonly string[]>> = {
  all: [
    'protocol/src/**/*.test.ts',
    'client/src/**/*.test.ts',
    'resource-server/src/**/*.test.ts',
    'server/src/**/*.test.ts',
    'conformance/**/*.test.ts',
    'examples/**/*.test.ts',
    'tools/**/*.test.ts',
    'bench/**/*.test.ts',
    'simulation/**/*.test.ts',
  ],
  unit: [
    'protocol/src/**/*.test.ts',
    'client/src/**/*.test.ts',
    'resource-server/src/**/*.test.ts',
    'server/src/**/*.test.ts',
    'tools/**/*.test.ts',
  ],
  long: ['{server,conformance,bench}/**/*.long.ts'],
};

/** Files at once; more only makes them wait for each other on a small machine. */
const concurrency = 2;
/** A file that hangs longer than this fails instead of holding everything up. */
const fileMsMax = { all: 480_000, unit: 120_000, long: 3_600_000 };

/** The test files that `patterns` name below `root`, workspace links left out. */
const filesOf = (root: string, patterns: readonly string[]): readonly string[] =>
  globSync([...patterns], { cwd: root, exclude: (name) => name === 'node_modules' })
    .map((path) => join(root, path))
    .sort();

export type Outcome = {
  readonly passed: boolean;
  /** Why it cannot pass though no test failed. */
  readonly complaints: readonly string[];
};

type Options = { readonly root: string; readonly patterns: readonly string[]; timeoutMs: number };

/** Runs the tests, writes node's own report to stdout, and resolves when it is written. */
export const runTests = ({ root, patterns, timeoutMs }: Options): Promise<Outcome> => {
  const files = filesOf(root, patterns);
  if (files.length === 0) {
    return Promise.resolve({
      passed: false,
      complaints: [`no test file matches ${patterns.join(' ')}`],
    });
  }
  return new Promise((resolve, reject) => {
    const silent = new Set(files);
    let success = false;
    const events = run({ files, concurrency, timeout: timeoutMs, cwd: root });
    events.on('test:summary', ({ file, counts, success: well }) => {
      if (file === undefined) success = well;
      else if (counts.tests > 0) silent.delete(file);
    });
    const report = events.compose(spec());
    report.on('error', reject);
    report.on('end', () => {
      const complaints = [...silent].map((file) => `${file} holds no test`);
      resolve({ passed: success && complaints.length === 0, complaints });
    });
    report.pipe(process.stdout, { end: false });
  });
};

/** Runs the named set of this checkout. */
export const runSet = (name: string): Promise<Outcome> => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const patterns = sets[name];
  if (patterns === undefined) {
    const known = Object.keys(sets).join(', ');
    return Promise.resolve({ passed: false, complaints: [`no set "${name}"; there are ${known}`] });
  }
  return runTests({ root, patterns, timeoutMs: fileMsMax[name as keyof typeof fileMsMax] });
};

if (import.meta.main) {
  const { passed, complaints } = await runSet(process.argv[2] ?? 'all');
  for (const complaint of complaints) console.error(complaint);
  if (!passed) process.exitCode = 1;
}
