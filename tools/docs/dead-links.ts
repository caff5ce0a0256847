/** Finds what the prose names and the checkout does not have: relative links, and paths of files in backticks. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type DeadLink = { readonly path: string; readonly line: number; readonly target: string };

const link = /\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)/g;
/** `server/src/endpoints/token.ts`, from the root; a path with a placeholder or a star in it is none. */
const filePath =
  /`((?:protocol|server|examples|conformance|bench|tools|docs)\/[\w./-]+\.(?:ts|mjs|md|sh|json))`/g;

/** Every page of the house. */
const proseOf = (root: string): readonly string[] =>
  globSync('**/*.md', { cwd: root, exclude: (name) => name === 'node_modules' || name === 'data' });

/** Links and paths in the prose below `root` that lead nowhere. */
export const deadLinks = (root: string): readonly DeadLink[] =>
  proseOf(root).flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((text, index) =>
        [
          ...[...text.matchAll(link)].map(([, target = '']) => join(dirname(path), target)),
          ...[...text.matchAll(filePath)].map(([, target = '']) => target),
        ]
          .filter((target) => !existsSync(join(root, target)))
          .map((target) => ({ path, line: index + 1, target })),
      ),
  );
