/** Reads and parses the project's source files for the rules; knows files and syntax, and no rule. */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import {
  isCallExpression,
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNewExpression,
  isStringLiteral,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

export type Import = {
  readonly specifier: string;
  /** The imported file when the specifier is relative, relative to the root; undefined for a package. */
  readonly path: string | undefined;
  readonly line: number;
  /** `url`: a worker's file, named by `new URL('./x.ts', import.meta.url)`; it runs apart, so it closes no cycle. */
  readonly kind: 'import' | 'url';
};

export type Source = {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly isTest: boolean;
  readonly lines: readonly string[];
  readonly tree: SourceFile;
  readonly imports: readonly Import[];
};

export type House = {
  readonly sources: readonly Source[];
  /** Folders that hold a package.json, relative to the root; '' is the root itself. */
  readonly packageRoots: ReadonlySet<string>;
};

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Tests, long tests, and what only they use: kits, and suites that every adapter of a port must pass. */
export const isTestPath = (path: string): boolean =>
  /\.(test|long)\.ts$|(^|\/)(test-kit|testing|contract)\//.test(path);

const skipped = new Set(['node_modules', '.git', 'coverage', 'dist']);

/** Visits `node` and everything below it. */
export const visit = (node: Node, see: (node: Node) => void): void => {
  see(node);
  node.forEachChild((child) => visit(child, see));
};

/** The 1-based line on which `node` begins, its leading comments left out. */
export const lineOf = (tree: SourceFile, node: Node): number =>
  tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;

/** Projects that exist only in memory: each parses exactly its files and follows no import. */
const projects = new Map<string, string>();

/** The compiler, started at first use; it runs beside this process and ends with it. */
const compiler = once(
  () =>
    new API({
      fs: {
        readFile: (file) => projects.get(file),
        fileExists: (file) => (projects.has(file) ? true : undefined),
      },
    }),
);

const parse = (root: string, paths: readonly string[]): ReadonlyMap<string, SourceFile> => {
  const project = join(root, 'tsconfig.tidy.json').replaceAll('\\', '/');
  const compilerOptions = { allowJs: true, noLib: true, noResolve: true, types: [] };
  projects.set(project, JSON.stringify({ compilerOptions, files: paths }));
  const snapshot = compiler().updateSnapshot({ openProjects: [project] });
  const program = snapshot.getProject(project)?.program;
  const trees = new Map<string, SourceFile>();
  for (const path of paths) {
    const tree = program?.getSourceFile(join(root, path));
    if (tree === undefined) throw new Error(`${path} could not be parsed`);
    trees.set(path, tree);
  }
  return trees;
};

/** The text of the module that `node` imports, re-exports or names as a worker; undefined for all else. */
const specifierOf = (node: Node): Pick<Import, 'specifier' | 'kind'> | undefined => {
  const text = (literal: Node | undefined, kind: Import['kind'] = 'import') =>
    literal !== undefined && isStringLiteral(literal)
      ? { specifier: literal.text, kind }
      : undefined;
  if (isImportDeclaration(node) || isExportDeclaration(node)) return text(node.moduleSpecifier);
  if (isImportTypeNode(node)) {
    return isLiteralTypeNode(node.argument) ? text(node.argument.literal) : undefined;
  }
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    return text(node.arguments[0]);
  }
  const isWorkerUrl =
    isNewExpression(node) &&
    isIdentifier(node.expression) &&
    node.expression.text === 'URL' &&
    node.arguments?.[1]?.getText() === 'import.meta.url';
  return isWorkerUrl ? text(node.arguments?.[0], 'url') : undefined;
};

const importsOf = (path: string, tree: SourceFile): readonly Import[] => {
  const found: Import[] = [];
  visit(tree, (node) => {
    const named = specifierOf(node);
    if (named === undefined) return;
    const relative = named.specifier.startsWith('.');
    found.push({
      ...named,
      line: lineOf(tree, node),
      path: relative ? posix.join(posix.dirname(path), named.specifier) : undefined,
    });
  });
  return found;
};

/** Reads every .ts and .mjs file below `root`, whether committed yet or not. */
export const readHouse = (root: string): House => {
  const paths = globSync('**/*.{ts,mjs}', { cwd: root, exclude: (name) => skipped.has(name) })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
  const trees = parse(root, paths);
  const sources = [...trees].map(([path, tree]) => ({
    path,
    isTest: isTestPath(path),
    lines: readFileSync(join(root, path), 'utf8').replace(/\n$/, '').split('\n'),
    tree,
    imports: importsOf(path, tree),
  }));
  const folders = new Set(paths.flatMap(ancestors));
  const packageRoots = [...folders].filter((it) => existsSync(join(root, it, 'package.json')));
  return { sources, packageRoots: new Set(packageRoots) };
};

const ancestors = (path: string): readonly string[] => {
  const parent = dirname(path);
  return parent === '.' ? [''] : [parent, ...ancestors(parent)];
};
