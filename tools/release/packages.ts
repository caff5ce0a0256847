/** Which packages of the workspace are published, in the order in which they depend on each other; knows nothing of compiling. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
};

export type Package = { readonly folder: string; readonly manifest: Manifest };

/** The packages to publish, each behind those that it depends on. Throws where one names another version than there is. */
export function publishedPackages(root: string): readonly Package[] {
  const found = workspaceFolders(root)
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => manifest.private !== true);
  const byName = new Map(found.map((one) => [one.manifest.name, one]));
  const ordered = new Set<Package>();
  const add = (one: Package): void => {
    for (const [name, version] of Object.entries(one.manifest.dependencies ?? {})) {
      const needed = byName.get(name);
      if (needed === undefined) continue;
      requireSameVersion(one.manifest, needed.manifest, version);
      add(needed);
    }
    ordered.add(one);
  };
  for (const one of found) add(one);
  return [...ordered];
}

/** A range would let a release meet a part that it was never tested with. */
function requireSameVersion(user: Manifest, used: Manifest, version: string): void {
  if (version === used.version) return;
  throw new Error(
    `${user.name} depends on ${used.name} ${version}, and the workspace holds ${used.version}: set the same version in both package.json`,
  );
}

function workspaceFolders(root: string): readonly string[] {
  const { workspaces } = readManifest(root) as Manifest & { readonly workspaces: string[] };
  // Examples are no packages that anybody installs.
  const plain = workspaces.filter((path) => !path.includes('*'));
  return plain.map((path) => join(root, path)).filter((it) => existsSync(join(it, 'package.json')));
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
