/** Lists what a file calls and reads by one spelling each, however it was imported; knows syntax, and no ban. */

import {
  type ImportDeclaration,
  isArrowFunction,
  isCallExpression,
  isElementAccessExpression,
  isIdentifier,
  isImportDeclaration,
  isNamedImports,
  isNamespaceImport,
  isNewExpression,
  isObjectBindingPattern,
  isPropertyAccessExpression,
  isReturnStatement,
  isStringLiteral,
  isVariableDeclaration,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { lineOf, visit } from './source.ts';

export type Spelling = {
  /** `Date.now`, `process.env`, `crypto.randomBytes`, `eval()`, `new Date()`, `return null`. */
  readonly text: string;
  readonly line: number;
  readonly node: Node;
};

const moduleName = (specifier: string): string => specifier.replace(/^node:/, '');

/** `import * as c from 'node:crypto'` makes `c` mean `crypto`. */
const aliasesOf = (tree: SourceFile): ReadonlyMap<string, string> => {
  const aliases = new Map<string, string>();
  visit(tree, (node) => {
    if (!isImportDeclaration(node) || !isStringLiteral(node.moduleSpecifier)) return;
    const whole = moduleName(node.moduleSpecifier.text);
    const clause = node.importClause;
    if (clause?.name !== undefined) aliases.set(clause.name.text, whole);
    const bindings = clause?.namedBindings;
    if (bindings !== undefined && isNamespaceImport(bindings))
      aliases.set(bindings.name.text, whole);
  });
  return aliases;
};

const ofImport = (node: ImportDeclaration): readonly string[] => {
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined || !isNamedImports(bindings)) return [];
  if (!isStringLiteral(node.moduleSpecifier)) return [];
  const whole = moduleName(node.moduleSpecifier.text);
  return bindings.elements.map(
    (element) => `${whole}.${(element.propertyName ?? element.name).text}`,
  );
};

/** `process`, `globalThis.process` and an alias of `node:process` are all `process`. */
const ownerName = (node: Node, aliases: ReadonlyMap<string, string>): string | undefined => {
  if (isIdentifier(node)) return aliases.get(node.text) ?? node.text;
  if (!isPropertyAccessExpression(node)) return undefined;
  const owner = ownerName(node.expression, aliases);
  return owner === 'globalThis' ? node.name.text : undefined;
};

const ofAccess = (node: Node, aliases: ReadonlyMap<string, string>): readonly string[] => {
  if (isPropertyAccessExpression(node)) {
    const owner = ownerName(node.expression, aliases);
    return owner === undefined ? [] : [`${owner}.${node.name.text}`];
  }
  if (isElementAccessExpression(node) && isStringLiteral(node.argumentExpression)) {
    const owner = ownerName(node.expression, aliases);
    return owner === undefined ? [] : [`${owner}.${node.argumentExpression.text}`];
  }
  if (!isVariableDeclaration(node) || node.initializer === undefined) return [];
  if (!isObjectBindingPattern(node.name)) return [];
  const owner = ownerName(node.initializer, aliases);
  if (owner === undefined) return [];
  return node.name.elements.map((it) => `${owner}.${(it.propertyName ?? it.name)?.getText()}`);
};

const ofCall = (node: Node): readonly string[] => {
  if (isCallExpression(node) && isIdentifier(node.expression)) return [`${node.expression.text}()`];
  if (isNewExpression(node) && isIdentifier(node.expression)) {
    const given = (node.arguments?.length ?? 0) > 0 ? '…' : '';
    return [`new ${node.expression.text}(${given})`];
  }
  const returned = isReturnStatement(node)
    ? node.expression
    : isArrowFunction(node)
      ? node.body
      : undefined;
  return returned?.kind === SyntaxKind.NullKeyword ? ['return null'] : [];
};

export const spellingsOf = (tree: SourceFile): readonly Spelling[] => {
  const aliases = aliasesOf(tree);
  const found: Spelling[] = [];
  visit(tree, (node) => {
    const texts = isImportDeclaration(node)
      ? ofImport(node)
      : [...ofAccess(node, aliases), ...ofCall(node)];
    for (const text of texts) found.push({ text, line: lineOf(tree, node), node });
  });
  return found;
};
