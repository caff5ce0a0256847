/** The runtimes beside Node, each as a program that runs the probe in a partner's project; where they are, and what they lack. */

import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { type Running, start } from '../../../examples/banking-api/test-kit/process.ts';
import type { Partner } from './packed-bank.ts';
import type { ProbeSettings } from './probe.ts';
import { type Project, root } from './project.ts';

const modules = join(root, 'tools/runtimes/node_modules');
const programs = {
  deno: join(modules, '@deno/linux-x64-glibc/deno'),
  bun: join(modules, '@oven/bun-linux-x64/bin/bun'),
  workerd: join(modules, '@cloudflare/workerd-linux-64/bin/workerd'),
} as const;

const mend = (name: string): string =>
  `there is no ${name} here: install with node tools/setup-runtimes.mjs`;

/** Why a runtime cannot be tested here; in continuous integration it must be. */
export function whyWithout(name: keyof typeof programs): string | false {
  return existsSync(programs[name]) || process.env['CI'] !== undefined ? false : mend(name);
}

function programOf(name: keyof typeof programs): string {
  if (!existsSync(programs[name])) throw new Error(mend(name));
  return programs[name];
}

/** Runs program.mjs, which reads settings.json, in Deno or Bun. */
export function runProgram(
  name: 'deno' | 'bun',
  project: Project,
  settings: ProbeSettings,
): Running {
  project.write('settings.json', JSON.stringify(settings));
  const before = name === 'bun' ? [] : ['run', '--no-prompt', ...DENO_PERMISSIONS];
  return start([...before, join(project.folder, 'program.mjs')], {
    cwd: project.folder,
    env: { CLIENT_SECRET: settings.clientSecret, HOME: project.folder, NO_COLOR: '1' },
    program: programOf(name),
  });
}

/** What a program has to be allowed, and nothing else. */
const DENO_PERMISSIONS = [
  '--allow-net=127.0.0.1',
  '--allow-read=.',
  '--allow-env=CLIENT_SECRET,NO_SUCH',
];

/** A worker that runs the probe when it is called; `node` gives it what the runtime has of Node's modules. */
export async function startWorker(
  project: Project,
  partner: Partner,
  options: { readonly settings: ProbeSettings; readonly node: boolean },
): Promise<{ readonly running: Running; readonly url: string }> {
  const name = options.node ? 'worker-node' : 'worker';
  project.write(`${name}.mjs`, WORKER);
  project.write(`${name}-settings.json`, JSON.stringify(options.settings));
  const config = project.write(`${name}.capnp`, workerConfig(project, name, options.node));
  const running = start(['serve', '--verbose', config, '--control-fd=1'], {
    cwd: project.folder,
    env: { CLIENT_SECRET: partner.settings.clientSecret },
    program: programOf('workerd'),
  });
  const [, port] = await running.says(/"event":"listen".*"port":(\d+)/);
  return { running, url: `http://127.0.0.1:${port}` };
}

const WORKER = `import * as sdk from '@countersign/client';
import * as verifiers from '@countersign/resource-server';
import { probe } from 'probe.mjs';
import { probeGuard } from 'guard-probe.mjs';
import settings from 'settings.json';
const { sources, missing, api, guard, ...rest } = settings;
const all = async () => [...(await probeGuard(verifiers, guard)), ...(await probe(sdk, settings))];
let client;
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/probe') return Response.json(await all());
    client ??= sdk.createClient({ ...rest, api, tokenEndpoint: rest.issuer + '/token' });
    if (pathname === '/call') return await client.fetch(api + '/call');
    // The request for a token is dropped along with this call.
    client.accessToken().catch(() => {});
    return new Response('left');
  },
};
`;

const aliasOf = (name: string, folder: string): string =>
  `(name = "${name}", esModule = "export * from '${folder}/dist/index.js';")`;

function workerConfig({ folder }: Project, name: string, node: boolean): string {
  const compiled = globSync('@countersign/*/dist/*.js', { cwd: join(folder, 'node_modules') });
  const list = [
    `(name = "worker", esModule = embed "${name}.mjs")`,
    '(name = "probe.mjs", esModule = embed "probe.mjs")',
    `(name = "settings.json", json = embed "${name}-settings.json")`,
    '(name = "guard-probe.mjs", esModule = embed "guard-probe.mjs")',
    ...['client', 'resource-server'].map((it) => aliasOf(`@countersign/${it}`, `./${it}`)),
    // What a bundler would have put there: this runtime looks for a package beside whoever imports it.
    aliasOf('@countersign/resource-server/dist/@countersign/protocol', '../../../protocol'),
    ...compiled.map((file) => `(name = "${file}", esModule = embed "node_modules/${file}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${list.join(',\n    ')}],
  compatibilityDate = "${node ? '2026-08-01' : '2024-01-01'}",
  compatibilityFlags = [${node ? '"nodejs_compat"' : ''}],
  bindings = [(name = "CLIENT_SECRET", fromEnvironment = "CLIENT_SECRET")],
);
`;
}
