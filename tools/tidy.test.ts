import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rules, tidy } from './tidy.ts';

type Files = Readonly<Record<string, string>>;

const head = '/** What this file owns. */\n';
const marker = '// tidy:';
const times = (count: number, line: string): string => `${line}\n`.repeat(count);

/** A small tree that keeps every rule; each plant below breaks exactly one in it. */
const tidyTree: Files = {
  'package.json': '{}',
  'protocol/package.json': '{}',
  'server/package.json': '{}',
  'conformance/package.json': '{}',
  'protocol/src/index.ts': `${head}export type { Scope } from './scope.ts';\n`,
  'protocol/src/scope.ts': `${head}export type Scope = readonly string[];\n`,
  'server/src/config.ts': `${head}export const data = process.env['COUNTERSIGN_DATA'];\n`,
  'server/src/ports/clock.ts': `${head}export type Clock = { wallMs(): number };\n`,
  'server/src/main.ts': `${head}import './config.ts';\nimport './stores/disk.ts';\n`,
  'server/src/stores/disk.ts': `${head}import type { Clock } from '../ports/clock.ts';\nexport type Disk = Clock;\n`,
  'server/src/endpoints/token.ts': `${head}import type { Scope } from '@countersign/protocol';\nexport type Token = Scope;\n`,
  'conformance/start.test.ts': "new URL('../server/bin/countersign.mjs', import.meta.url);\n",
  'server/src/endpoints/token.test.ts': "import '../stores/disk.ts';\nconst now = Date.now();\n",
};

const findingsIn = (files: Files): readonly string[] => {
  const root = mkdtempSync(join(tmpdir(), 'tidy-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return tidy(root).findings.map(({ path, line, rule }) => `${rule} ${path}:${line}`);
  } finally {
    rmSync(root, { recursive: true });
  }
};

const endpoint = 'server/src/endpoints/planted.ts';
const test = 'server/src/endpoints/planted.test.ts';

/** What is planted, and the one finding that it must cause. */
const plants: readonly (readonly [finding: string, files: Files])[] = [
  ['file-length tools/long.ts:401', { 'tools/long.ts': head + times(400, '') }],
  ['file-length tools/long.test.ts:601', { 'tools/long.test.ts': times(601, '') }],
  [
    `function-length ${endpoint}:2`,
    { [endpoint]: `${head}export const long = () => {\n${times(69, '')}};\n` },
  ],
  [
    `positional-parameters ${endpoint}:2`,
    { [endpoint]: `${head}export type Far = (a: 1, b: 2, c: 3, d: 4) => void;\n` },
  ],
  ['kebab-case tools/planIt.ts:1', { 'tools/planIt.ts': head }],
  ['words-of-the-domain tools/token-utils.ts:1', { 'tools/token-utils.ts': head }],
  ['words-of-the-domain tools/common/seed.ts:1', { 'tools/common/seed.ts': head }],
  ['index-at-package-root tools/plan/index.ts:1', { 'tools/plan/index.ts': head }],
  ['head-sentence tools/mute.ts:1', { 'tools/mute.ts': 'export const loud = false;\n' }],
  [`layers ${endpoint}:2`, { [endpoint]: `${head}import '../stores/disk.ts';\n` }],
  [`layers ${endpoint}:2`, { [endpoint]: `${head}import '../main.ts';\n` }],
  [
    `layers ${endpoint}:2`,
    { [endpoint]: `${head}export type Disk = import('../stores/disk.ts').Disk;\n` },
  ],
  [
    `layers ${endpoint}:2`,
    { [endpoint]: `${head}export const load = () => import('../stores/disk.ts');\n` },
  ],
  [
    `layers ${endpoint}:2`,
    {
      [endpoint]: `${head}export const worker = new URL('../stores/disk.ts', import.meta.url);\n`,
    },
  ],
  ['known-layer server/src/domain/token.ts:1', { 'server/src/domain/token.ts': head }],
  [
    'closed-packages conformance/token.test.ts:1',
    { 'conformance/token.test.ts': "import '../server/src/main.ts';\n" },
  ],
  [
    'package-names conformance/token.test.ts:1',
    { 'conformance/token.test.ts': "import '@countersign/protocol';\n" },
  ],
  [
    'self-contained protocol/src/planted.ts:2',
    { 'protocol/src/planted.ts': `${head}import 'node:buffer';\n` },
  ],
  [
    'self-contained protocol/src/planted.ts:2',
    { 'protocol/src/planted.ts': `${head}export { type Agent } from 'fastify';\n` },
  ],
  [
    'test-only protocol/src/planted.ts:2',
    {
      'protocol/src/planted.ts': `${head}import '../test-kit/seed.ts';\n`,
      'protocol/test-kit/seed.ts': "import 'node:assert';\n",
    },
  ],
  [
    'cycles protocol/src/a.ts:2',
    {
      'protocol/src/a.ts': `${head}import type { B } from './b.ts';\nexport type A = B[];\n`,
      'protocol/src/b.ts': `${head}import type { C } from './c.ts';\nexport type B = C[];\n`,
      'protocol/src/c.ts': `${head}import type { A } from './a.ts';\nexport type C = A[];\n`,
    },
  ],
  [`no-eval ${endpoint}:2`, { [endpoint]: `${head}eval('1');\n` }],
  [`no-math-random ${test}:1`, { [test]: 'Math.random();\n' }],
  [`no-clock ${endpoint}:2`, { [endpoint]: `${head}export const now = () => new Date();\n` }],
  [`no-clock ${endpoint}:2`, { [endpoint]: `${head}export const { now } = Date;\n` }],
  [
    `no-clock ${endpoint}:2`,
    {
      [endpoint]: `${head}import { setTimeout as sleep } from 'node:timers/promises';\nsleep(1);\n`,
    },
  ],
  [
    `no-own-randomness ${endpoint}:2`,
    { [endpoint]: `${head}import { randomBytes as some } from 'node:crypto';\nsome(1);\n` },
  ],
  [
    `no-own-randomness ${endpoint}:3`,
    { [endpoint]: `${head}import * as secure from 'node:crypto';\nsecure.randomBytes(1);\n` },
  ],
  [`no-own-randomness ${endpoint}:2`, { [endpoint]: `${head}globalThis.crypto.randomUUID();\n` }],
  [`no-process ${endpoint}:2`, { [endpoint]: `${head}process.exit(1);\n` }],
  [
    'one-reader-of-the-environment server/src/stores/planted.ts:2',
    { 'server/src/stores/planted.ts': `${head}export const { env } = process;\n` },
  ],
  [
    'one-reader-of-the-environment server/src/stores/planted.ts:2',
    { 'server/src/stores/planted.ts': `${head}import { env } from 'node:process';\nenv;\n` },
  ],
  [`no-console ${endpoint}:2`, { [endpoint]: `${head}console.log('here');\n` }],
  [
    `absent-is-undefined ${endpoint}:2`,
    { [endpoint]: `${head}export const nothing = () => null;\n` },
  ],
  [`no-focused-test ${test}:1`, { [test]: "test.only('a', () => {});\n" }],
  [`no-skipped-test ${test}:1`, { [test]: "it.skip('a', () => {});\n" }],
  [`silenced-test ${test}:1`, { [test]: "test('a', { skip: true }, () => {});\n" }],
  [`silenced-test ${test}:1`, { [test]: "test('a', (t) => t.skip());\n" }],
  [`awaited-assertion ${test}:1`, { [test]: 'assert.rejects(go());\n' }],
  [`exemption ${endpoint}:2`, { [endpoint]: `${head}${marker} allow no-console, because why.\n` }],
];

describe('the house rules', () => {
  it('find nothing in a tree that keeps them', () => {
    assert.deepEqual(findingsIn(tidyTree), []);
  });

  for (const [finding, files] of plants) {
    const planted = Object.values(files).at(-1)?.replace(head, '').split('\n')[0] ?? '';
    it(`turn red with exactly "${finding}" on ${planted.slice(0, 60)}`, () => {
      assert.deepEqual(findingsIn({ ...tidyTree, ...files }), [finding]);
    });
  }

  it('have a plant each, so that none is dead', () => {
    const planted = new Set(plants.map(([finding]) => finding.split(' ')[0]));
    assert.deepEqual(planted, new Set([...rules.map(({ name }) => name), 'exemption']));
  });

  it('count the named functions of a factory as functions of their own', () => {
    const named = (name: string): string => `const ${name} = () => {\n${times(50, '')}};\n`;
    const factory = `${head}export const make = () => {\n${named('a')}${named('b')}return [a, b];\n};\n`;
    assert.deepEqual(findingsIn({ ...tidyTree, [endpoint]: factory }), []);
  });

  it('are waived for one line by a comment that gives the reason, and not by one that gives none', () => {
    const waived = (reason: string): Files => ({
      ...tidyTree,
      [endpoint]: `${head}${marker} allow no-console${reason}\nconsole.log(1);\n`,
    });
    assert.deepEqual(findingsIn(waived(', because it is a test.')), []);
    assert.deepEqual(findingsIn(waived('')), [`exemption ${endpoint}:2`]);
  });

  it('are kept by this project', () => {
    const { files, findings } = tidy(fileURLToPath(new URL('..', import.meta.url)));
    assert.ok(files > 20, `only ${files} files were read`);
    assert.deepEqual(findings, []);
  });
});
