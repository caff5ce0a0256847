/** A bank that runs what was packed: the authority's program and an API behind the guard, and a partner's project beside them. */

import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Authority,
  newClient,
  onboard,
  startAuthority,
  tokenOf,
} from '../../../examples/banking-api/test-kit/authority.ts';
import { type Running, start } from '../../../examples/banking-api/test-kit/process.ts';
import { readManifest } from '../packages.ts';
import type { ProbeSettings } from './probe.ts';
import { newProject, type Project, root, unpack } from './project.ts';

export type PackedBank = {
  readonly project: Project;
  readonly authority: Authority;
  readonly issuer: string;
  /** A new partner, and an API of its own, which counts; `node` is the one that the API runs on. */
  readonly newPartner: (node?: string) => Promise<Partner>;
  readonly stop: () => Promise<void>;
};

export type Partner = {
  readonly settings: ProbeSettings;
  readonly seen: () => Promise<{
    readonly calls: Readonly<Record<string, number>>;
    readonly tokens: readonly string[];
  }>;
  /** How many tokens the authority has on record for this partner. */
  readonly issued: () => Promise<number>;
};

export async function openPackedBank(): Promise<PackedBank> {
  const project = newProject();
  const authority = await startAuthority({ main: installServer(project) });
  const issuer = authority.issuer('sandbox');
  const service = await newClient(authority, {
    programId: await onboard(authority, 'Bank'),
    flags: ['--resource-server'],
  });
  const apis: Running[] = [];
  const startApi = (program?: string): Running =>
    start([join(project.folder, 'serve-api.mjs')], {
      cwd: project.folder,
      env: { ISSUER: issuer, CLIENT_ID: service.clientId, CLIENT_SECRET: service.clientSecret },
      ...(program === undefined ? {} : { program }),
    });
  return {
    project,
    authority,
    issuer,
    newPartner: async (node) => {
      const programId = await onboard(authority, 'Partner');
      const credentials = await newClient(authority, { programId });
      const api = startApi(node);
      apis.push(api);
      const [, url = ''] = await api.says(/^API on (http:\S+)/);
      // Of another client, so that what the probe is judged by counts its own tokens alone.
      const token = await tokenOf(issuer, await newClient(authority, { programId }));
      const guard = { ...service, issuer, token, redirecting: `${url}/moved-token` };
      return {
        settings: { ...credentials, guard, issuer, api: url, sources: [], missing: [] },
        seen: async () => JSON.parse(await (await fetch(`${url}/seen`)).text()),
        issued: async () => {
          const list = await authority.operate('token', 'list', '--client', credentials.clientId);
          return (list as unknown as readonly unknown[]).length;
        },
      };
    },
    stop: async () => {
      await Promise.all(apis.map((api) => api.stop()));
      await authority.stop();
      project.remove();
    },
  };
}

/** Unpacks the server, with the libraries of this checkout as its own: they are third parties', and no network is asked for them. */
function installServer({ folder, staged }: Project): string {
  const packed = staged.find(({ name }) => name === 'countersign');
  if (packed === undefined) throw new Error('the server was not packed');
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'countersign');
  unpack(packed.tarball, home);
  for (const name of Object.keys(readManifest(home).dependencies ?? {})) {
    if (name.startsWith('@countersign/')) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  return join(home, readManifest(home).bin?.['countersign'] ?? '');
}
