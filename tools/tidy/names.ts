/** The naming rules: what a file may be called, where an index.ts may stand, and that a file says what it owns. */

import { basename, posix } from 'node:path';
import type { Finding, Rule } from './rule.ts';
import type { House, Source } from './source.ts';

/** Words that name no thing of the domain, so that anything could be put there. */
const bannedWords: readonly string[] = [
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'manager',
  'service',
  'services',
  'misc',
];

const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|long))?\.(ts|mjs)$/;

const kebabCase = ({ path }: Source): readonly Finding[] => {
  if (kebab.test(basename(path))) return [];
  return [
    { path, line: 1, mend: 'file names are kebab-case, such as rotate-secret.ts: rename it.' },
  ];
};

const wordsOfTheDomain = ({ path }: Source): readonly Finding[] => {
  const words = path.replace(/\.\w+$/, '').split(/[/.-]/);
  const banned = bannedWords.filter((word) => words.includes(word));
  if (banned.length === 0) return [];
  const mend = `"${banned.join('", "')}" says nothing: name the file after the noun or verb of the domain in it.`;
  return [{ path, line: 1, mend }];
};

const indexAtPackageRoot = (house: House): readonly Finding[] =>
  house.sources.flatMap(({ path }) => {
    if (!/(^|\/)index\.(ts|mjs)$/.test(path)) return [];
    const folder = posix.dirname(path);
    const root = folder.endsWith('/src') ? posix.dirname(folder) : folder;
    if (house.packageRoots.has(root)) return [];
    const mend =
      'an index file stands only at a package root: import the file that holds the thing.';
    return [{ path, line: 1, mend }];
  });

const headSentence = ({ path, isTest, lines }: Source): readonly Finding[] => {
  const line = lines[0]?.startsWith('#!') ? 2 : 1;
  if (isTest || lines[line - 1]?.startsWith('/**')) return [];
  const mend =
    'the file has no head: begin with one /** sentence */ on what it owns and refuses to know.';
  return [{ path, line, mend }];
};

export const nameRules: readonly Rule[] = [
  { name: 'kebab-case', find: (house) => house.sources.flatMap(kebabCase) },
  { name: 'words-of-the-domain', find: (house) => house.sources.flatMap(wordsOfTheDomain) },
  { name: 'index-at-package-root', find: indexAtPackageRoot },
  { name: 'head-sentence', find: (house) => house.sources.flatMap(headSentence) },
];
