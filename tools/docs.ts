/** `node tools/docs.ts [--check]`: writes the generated pages of docs/reference, or says which are stale and which links lead nowhere. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adminApiPage } from './docs/admin-api-page.ts';
import { commandLinePage } from './docs/command-line-page.ts';
import { configurationPage } from './docs/configuration-page.ts';
import { deadLinks } from './docs/dead-links.ts';
import { errorsPage } from './docs/errors-page.ts';
import { policiesPage } from './docs/policies-page.ts';

export type Page = { readonly path: string; readonly text: string };

/** Every page that is made from the code and never edited by hand. */
export const pages = (): readonly Page[] => [
  { path: 'docs/reference/admin-api.md', text: adminApiPage() },
  { path: 'docs/reference/cli.md', text: commandLinePage() },
  { path: 'docs/reference/configuration.md', text: configurationPage() },
  { path: 'docs/reference/errors.md', text: errorsPage() },
  { path: 'docs/reference/policies.md', text: policiesPage() },
];

/** The pages below `root` that are not what the code says now. */
export const stalePages = (root: string): readonly string[] =>
  pages()
    .filter(({ path, text }) => readOr(join(root, path)) !== text)
    .map(({ path }) => path);

const readOr = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

const check = (root: string): boolean => {
  const stale = stalePages(root);
  for (const path of stale)
    console.error(`${path} is stale: run node tools/docs.ts, and commit it`);
  const dead = deadLinks(root);
  for (const { path, line, target } of dead) {
    console.error(`${path}:${line} names ${target}, and there is no such file`);
  }
  return stale.length === 0 && dead.length === 0;
};

const write = (root: string): void => {
  for (const { path, text } of pages()) writeFileSync(join(root, path), text);
};

if (import.meta.main) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  if (!process.argv.includes('--check')) write(root);
  else if (!check(root)) process.exitCode = 1;
}
