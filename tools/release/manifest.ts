/** The package.json of a published package, made from the one of the workspace: a pure function, which reads no file. */

import type { Manifest } from './packages.ts';

/** Taken over as they are; whatever else stands in the workspace's is for its developers. */
const KEPT = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'homepage',
  'bugs',
  'type',
  'engines',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
];

/** `./src/node.ts` -> `./dist/node.js` */
export function compiledPath(source: string, extension: '.js' | '.d.ts' = '.js'): string {
  const named = /^\.\/src\/(.+)\.ts$/.exec(source)?.[1];
  if (named !== undefined) return `./dist/${named}${extension}`;
  throw new Error(`exports: "${source}" is no file of the form ./src/NAME.ts`);
}

/** The package.json to publish. `repository` is the workspace's own, where it names one: npm asks for it with a provenance. */
export function stagedManifest(
  manifest: Manifest,
  place: { readonly directory: string; readonly repository: unknown },
): Readonly<Record<string, unknown>> {
  const kept = KEPT.filter((key) => manifest[key] !== undefined).map((key) => [key, manifest[key]]);
  const { exports, bin } = manifest;
  const { directory, repository } = place;
  return {
    ...Object.fromEntries(kept),
    ...(repository === undefined ? {} : { repository: withDirectory(repository, directory) }),
    sideEffects: false,
    ...(exports === undefined ? {} : { exports: stagedExports(exports) }),
    ...(bin === undefined ? {} : { bin }),
    files: bin === undefined ? ['dist'] : ['bin', 'dist'],
    publishConfig: { access: 'public', provenance: true },
  };
}

function stagedExports(exports: NonNullable<Manifest['exports']>): Readonly<object> {
  const entries = Object.entries(exports).map(([path, source]) => {
    // `types` first: the first condition that holds is taken.
    return [path, { types: compiledPath(source, '.d.ts'), default: compiledPath(source) }];
  });
  return Object.fromEntries(entries);
}

function withDirectory(repository: unknown, directory: string): Readonly<object> {
  const known = typeof repository === 'string' ? { type: 'git', url: repository } : repository;
  return { ...(known as object), directory };
}
