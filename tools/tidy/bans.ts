/** What may not be called or read, and where: a list of bans, and the rules for tests that could pass without testing. */

import {
  isCallExpression,
  isExpressionStatement,
  isPropertyAssignment,
  isStringLiteralLikeNode,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import type { Finding, Rule } from './rule.ts';
import { lineOf, type Source, visit } from './source.ts';
import { spellingsOf } from './spellings.ts';

type Ban = {
  readonly name: string;
  /** A star at the end stands for any rest. */
  readonly spellings: readonly string[];
  readonly holds: (source: Source) => boolean;
  readonly mend: string;
};

const below =
  (...folders: readonly string[]) =>
  ({ path }: Source): boolean =>
    folders.some((folder) => path.startsWith(`${folder}/`));

/** Where clock, randomness and the process are handed in, so that a seed can replay everything. */
const isPure = below(
  'protocol',
  'server/src/ports',
  'server/src/endpoints',
  'server/src/operations',
  'server/src/credentials',
  'server/src/replica',
);
const readsEnvironment = ['server/src/config.ts', 'server/src/main.ts'];
/** The one file in which the handed-in randomness is made from the system's. */
const sourceOfRandomness = 'server/src/credentials/random.ts';
const isServer = below('server/src', 'protocol');
const speaksToSql = below('server/src/stores', 'server/src/journal');
const mayPrint = below('server/src/cli', 'server/bin', 'tools', 'bench', 'examples');

const bans: readonly Ban[] = [
  {
    name: 'no-eval',
    spellings: ['eval()', 'new Function(…)', 'new Function()', 'Function()', 'vm.*'],
    holds: () => true,
    mend: 'text is never run as code: write the code.',
  },
  {
    name: 'no-math-random',
    spellings: ['Math.random'],
    holds: () => true,
    mend: 'guessable and not repeatable: take the randomness that is handed in, or a seed in a test.',
  },
  {
    name: 'no-clock',
    spellings: [
      'Date.now',
      'new Date()',
      'Date()',
      'performance.*',
      'perf_hooks.*',
      'setTimeout()',
      'setInterval()',
      'timers.*',
      'timers/promises.*',
    ],
    holds: (source) => isPure(source) && !source.isTest,
    mend: 'no clock here: take `now` or the clock that is handed in (server/src/ports/clock.ts).',
  },
  {
    name: 'no-own-randomness',
    spellings: [
      'crypto.random*',
      'crypto.getRandomValues',
      'crypto.generateKey*',
      'crypto.webcrypto',
    ],
    holds: (source) => isPure(source) && source.path !== sourceOfRandomness && !source.isTest,
    mend: 'no randomness here: take the one that is handed in (server/src/ports/clock.ts).',
  },
  {
    name: 'no-process',
    spellings: ['process.*'],
    holds: (source) => isPure(source) && !source.isTest,
    mend: 'nothing here knows that it runs in a process: take the value as an argument.',
  },
  {
    name: 'one-reader-of-the-environment',
    spellings: ['process.env'],
    holds: (source) =>
      isServer(source) && !readsEnvironment.includes(source.path) && !source.isTest,
    mend: 'main.ts hands the environment to config.ts, its only reader: take the setting as an argument.',
  },
  {
    name: 'no-console',
    spellings: ['console.*'],
    holds: (source) => !mayPrint(source) && !source.isTest,
    mend: 'nothing prints here: return the text, or write to the log that is handed in.',
  },
  {
    name: 'absent-is-undefined',
    spellings: ['return null'],
    holds: (source) => isServer(source) && !speaksToSql(source) && !source.isTest,
    mend: 'absent is undefined, never null, except in SQL: return undefined.',
  },
  {
    name: 'no-focused-test',
    spellings: ['test.only', 'it.only', 'describe.only', 'suite.only'],
    holds: (source) => source.isTest,
    mend: 'a focused test silences all others: take `.only` away.',
  },
  {
    name: 'no-skipped-test',
    spellings: ['skip', 'todo'].flatMap((how) =>
      ['test', 'it', 'describe', 'suite'].map((what) => `${what}.${how}`),
    ),
    holds: (source) => source.isTest,
    mend: "a test is skipped only with its reason, as an option: { skip: 'why' } or t.skip('why').",
  },
];

const matches = (text: string, spelling: string): boolean =>
  spelling.endsWith('*') ? text.startsWith(spelling.slice(0, -1)) : text === spelling;

const ruleOf = ({ name, spellings, holds, mend }: Ban): Rule => ({
  name,
  find: (house) =>
    house.sources.filter(holds).flatMap(({ path, tree }) =>
      spellingsOf(tree)
        .filter(({ text }) => spellings.some((spelling) => matches(text, spelling)))
        .map(({ text, line }) => ({ path, line, mend: `${text}: ${mend}` })),
    ),
});

const inTests = (source: Source, judge: (node: Node) => string | undefined): readonly Finding[] => {
  const found: Finding[] = [];
  if (!source.isTest) return found;
  visit(source.tree, (node) => {
    const mend = judge(node);
    const line = lineOf(source.tree, node);
    if (mend !== undefined) found.push({ path: source.path, line, mend });
  });
  return found;
};

const silencing = new Set(['skip', 'todo', 'only']);

const judgeOption = (node: Node): string | undefined => {
  const silences =
    isPropertyAssignment(node) &&
    silencing.has(node.name.getText()) &&
    node.initializer.kind === SyntaxKind.TrueKeyword;
  if (silences)
    return `${node.getText()} silences a test without a reason: give the reason as text.`;
  if (!isCallExpression(node) || node.expression.getText() !== 't.skip') return undefined;
  const [reason] = node.arguments;
  if (reason !== undefined && isStringLiteralLikeNode(reason)) return undefined;
  return 't.skip() says no reason: give it as text.';
};

const promised = /^assert\.(strict\.)?(rejects|doesNotReject)$/;

const judgeAssertion = (node: Node): string | undefined => {
  if (!isExpressionStatement(node) || !isCallExpression(node.expression)) return undefined;
  const asserted = node.expression.expression.getText();
  if (!promised.test(asserted)) return undefined;
  return `${asserted} is not awaited, so it cannot fail the test: write await before it.`;
};

export const banRules: readonly Rule[] = [
  ...bans.map(ruleOf),
  {
    name: 'silenced-test',
    find: (house) => house.sources.flatMap((it) => inTests(it, judgeOption)),
  },
  {
    name: 'awaited-assertion',
    find: (house) => house.sources.flatMap((it) => inTests(it, judgeAssertion)),
  },
];
