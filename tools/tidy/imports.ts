/** The import rules: one direction between layers, closed packages, no cycle. The table they read is import-table.ts. */

import {
  layers,
  mayReachAcross,
  mayUseTestParts,
  selfContained,
  workspacePackages,
} from './import-table.ts';
import type { Finding, Rule } from './rule.ts';
import { type House, type Import, isTestPath, type Source } from './source.ts';

const eachImport = (
  house: House,
  judge: (source: Source, imported: Import) => string | undefined,
): readonly Finding[] =>
  house.sources.flatMap((source) =>
    source.imports.flatMap((imported) => {
      const mend = judge(source, imported);
      return mend === undefined ? [] : [{ path: source.path, line: imported.line, mend }];
    }),
  );

const rootFolder = (path: string): string => path.split('/')[0] ?? '';

/** `server/src/stores/sqlite/pool.ts` -> `stores`, `server/src/main.ts` -> `main`, elsewhere undefined. */
const layerOf = (path: string): string | undefined =>
  /^server\/src\/([^/]+?)(?:\.test)?(?:\.ts)?(?:\/|$)/.exec(path)?.[1];

const judgeLayer = (source: Source, imported: Import): string | undefined => {
  const [from, to] = [layerOf(source.path), layerOf(imported.path ?? '')];
  if (from === undefined || to === undefined || from === to || source.isTest) return undefined;
  const allowed = layers[from];
  if (allowed === undefined || allowed.includes(to)) return undefined;
  return `${from} may not import ${to}, only: ${allowed.join(', ') || 'nothing'}. Hand it in from main.ts, or move the shared type to ports.`;
};

const knownLayer = (house: House): readonly Finding[] =>
  house.sources.flatMap(({ path, isTest }) => {
    const layer = layerOf(path);
    if (layer === undefined || isTest || Object.hasOwn(layers, layer)) return [];
    const mend = `${layer} is no layer that the import table knows: add it to tools/tidy/import-table.ts.`;
    return [{ path, line: 1, mend }];
  });

const packageRootOf = (path: string, roots: ReadonlySet<string>): string => {
  const parts = path.split('/');
  for (let length = parts.length - 1; length > 0; length--) {
    const folder = parts.slice(0, length).join('/');
    if (roots.has(folder)) return folder;
  }
  return '';
};

/** A program that is named by its file, to be started as a user would start it. */
const isProgram = ({ kind, path }: Import): boolean => kind === 'url' && /\/bin\//.test(path ?? '');

const closedPackages = (house: House): readonly Finding[] =>
  eachImport(house, (source, imported) => {
    const { path, specifier } = imported;
    const isSource = path !== undefined && /\.(ts|mjs)$/.test(path) && !isProgram(imported);
    if (!isSource || mayReachAcross.includes(rootFolder(source.path))) return undefined;
    const home = packageRootOf(source.path, house.packageRoots);
    if (packageRootOf(path, house.packageRoots) === home) return undefined;
    return `${specifier} reaches into another package: import what that package exports, by its name.`;
  });

const judgePackageName = (source: Source, { specifier }: Import): string | undefined => {
  const name = /^(@countersign\/[^/]+|countersign)(\/|$)/.exec(specifier)?.[1];
  if (name === undefined) return undefined;
  const folder = rootFolder(source.path);
  if (workspacePackages[folder]?.includes(name)) return undefined;
  return `${folder} imports no ${name}: it knows only the protocol on the wire, or takes what it needs as an argument.`;
};

const judgeSelfContained = (source: Source, { path, specifier }: Import): string | undefined => {
  if (path !== undefined || source.isTest) return undefined;
  const folder = rootFolder(source.path);
  if (!selfContained.includes(folder)) return undefined;
  return `${folder} imports nothing outside itself, so not ${specifier}: take the value as an argument.`;
};

const judgeTestOnly = (source: Source, { path, specifier }: Import): string | undefined => {
  if (source.isTest || path === undefined || !isTestPath(path)) return undefined;
  if (mayUseTestParts.includes(rootFolder(source.path))) return undefined;
  return `${specifier} is there for tests only: move what the source needs into the source.`;
};

/** A path of imports from `start` back to itself, or undefined. */
const cycleThrough = (
  start: Source,
  byPath: ReadonlyMap<string, Source>,
): readonly Source[] | undefined => {
  const seen = new Set<string>();
  const walk = (from: Source, trail: readonly Source[]): readonly Source[] | undefined => {
    for (const { path, kind } of from.imports) {
      const next = kind === 'import' && path !== undefined ? byPath.get(path) : undefined;
      if (next === start) return trail;
      if (next === undefined || seen.has(next.path)) continue;
      seen.add(next.path);
      const found = walk(next, [...trail, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(start, [start]);
};

const cycles = (house: House): readonly Finding[] => {
  const byPath = new Map(house.sources.map((source) => [source.path, source]));
  return house.sources.flatMap((source) => {
    const trail = cycleThrough(source, byPath);
    // Each cycle is told once, at its first file in the alphabet.
    if (trail === undefined || trail.some(({ path }) => path < source.path)) return [];
    const second = trail[1] ?? source;
    const line = source.imports.find(({ path }) => path === second.path)?.line ?? 1;
    const round = [...trail, source].map(({ path }) => path).join(' -> ');
    const mend = `the imports go in a circle (type-only ones count): ${round}. Move what both need to a file below them.`;
    return [{ path: source.path, line, mend }];
  });
};

export const importRules: readonly Rule[] = [
  { name: 'layers', find: (house) => eachImport(house, judgeLayer) },
  { name: 'known-layer', find: knownLayer },
  { name: 'closed-packages', find: closedPackages },
  { name: 'package-names', find: (house) => eachImport(house, judgePackageName) },
  { name: 'self-contained', find: (house) => eachImport(house, judgeSelfContained) },
  { name: 'test-only', find: (house) => eachImport(house, judgeTestOnly) },
  { name: 'cycles', find: cycles },
];
