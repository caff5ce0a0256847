/** The size rules: how long a file and a function may be, and how many positional parameters a function may take. */

import {
  isArrowFunction,
  isCallExpression,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isFunctionTypeNode,
  isGetAccessorDeclaration,
  isIdentifier,
  isMethodDeclaration,
  isMethodSignatureDeclaration,
  isPropertyAssignment,
  isSetAccessorDeclaration,
  isVariableDeclaration,
  type Node,
  type SourceFile,
} from 'typescript/unstable/ast';
import type { Finding, Rule } from './rule.ts';
import { lineOf, type Source, visit } from './source.ts';

const linesPerFileMax = 400;
const linesPerTestFileMax = 600;
const linesPerFunctionMax = 70;
const positionalParametersMax = 3;

const fileLength = ({ path, isTest, lines }: Source): readonly Finding[] => {
  const max = isTest ? linesPerTestFileMax : linesPerFileMax;
  if (lines.length <= max) return [];
  const mend = `${lines.length} lines, at most ${max}: move a part with a name of its own to a file of its own.`;
  return [{ path, line: max + 1, mend }];
};

const hasBody = (node: Node): boolean =>
  isFunctionDeclaration(node) ||
  isFunctionExpression(node) ||
  isArrowFunction(node) ||
  isMethodDeclaration(node) ||
  isConstructorDeclaration(node) ||
  isGetAccessorDeclaration(node) ||
  isSetAccessorDeclaration(node);

const chapters = new Set(['describe', 'suite']);
const titled = new Set([...chapters, 'it', 'test']);

/** Whether `node` is the callback of a call such as `describe('…', () => …)`. */
const isCallbackOf = (names: ReadonlySet<string>, { parent }: Node): boolean =>
  isCallExpression(parent) && isIdentifier(parent.expression) && names.has(parent.expression.text);

/** Whether a function inside another has a name to read it by; a mere callback belongs to its surroundings. */
const isNamed = (node: Node): boolean =>
  isFunctionDeclaration(node) ||
  isMethodDeclaration(node) ||
  isVariableDeclaration(node.parent) ||
  isPropertyAssignment(node.parent) ||
  isCallbackOf(titled, node);

const linesOf = (tree: SourceFile, node: Node): number =>
  tree.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - lineOf(tree, node);

/** Lines of the named functions inside `node`: a factory is judged by its own steps, as a class would be. */
const linesOfNamedInside = (tree: SourceFile, node: Node): number => {
  let lines = 0;
  const see = (child: Node): void => {
    if (hasBody(child) && isNamed(child)) lines += linesOf(tree, child);
    else child.forEachChild(see);
  };
  node.forEachChild(see);
  return lines;
};

const functionLength = ({ path, isTest, tree }: Source): readonly Finding[] => {
  const found: Finding[] = [];
  visit(tree, (node) => {
    // A chapter of tests is no function, and each of its tests is judged by itself.
    if (!hasBody(node) || (isTest && isCallbackOf(chapters, node))) return;
    const length = linesOf(tree, node) - linesOfNamedInside(tree, node);
    if (length <= linesPerFunctionMax) return;
    const mend = `a function of ${length} lines, at most ${linesPerFunctionMax}: give its steps names of their own.`;
    found.push({ path, line: lineOf(tree, node), mend });
  });
  return found;
};

const parametersOf = (node: Node): readonly Node[] | undefined => {
  if (isFunctionDeclaration(node) || isFunctionExpression(node)) return node.parameters;
  if (isMethodDeclaration(node) || isConstructorDeclaration(node)) return node.parameters;
  if (isMethodSignatureDeclaration(node) || isFunctionTypeNode(node)) return node.parameters;
  // The parameters of a callback are chosen by whoever calls it back.
  if (isArrowFunction(node) && !isCallExpression(node.parent)) return node.parameters;
  return undefined;
};

const positionalParameters = ({ path, tree }: Source): readonly Finding[] => {
  const found: Finding[] = [];
  visit(tree, (node) => {
    const count = parametersOf(node)?.length ?? 0;
    if (count <= positionalParametersMax) return;
    const mend = `${count} positional parameters, at most ${positionalParametersMax}: take one named object instead.`;
    found.push({ path, line: lineOf(tree, node), mend });
  });
  return found;
};

export const sizeRules: readonly Rule[] = [
  { name: 'file-length', find: (house) => house.sources.flatMap(fileLength) },
  { name: 'function-length', find: (house) => house.sources.flatMap(functionLength) },
  { name: 'positional-parameters', find: (house) => house.sources.flatMap(positionalParameters) },
];
