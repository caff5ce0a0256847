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

/** Why a runtime cannot be tested here; in continuous integration it must be. */
export function whyWithout(name: keyof typeof programs): string | false {
  if (existsSync(programs[name]) || process.env['CI'] !== undefined) return false;
  return `there is no ${name} here: install with node tools/setup-runtimes.mjs`;
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
    program: programs[name],
  });
}

/** What a partner's program has to be allowed, and nothing else. */
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
  const { workerd } = programs;
  const running = start(['serve', '--verbose', config, '--control-fd=1'], {
    cwd: project.folder,
    env: { CLIENT_SECRET: partner.settings.clientSecret },
    program: workerd,
  });
  const [, port] = await running.says(/"event":"listen".*"port":(\d+)/);
  return { running, url: `http://127.0.0.1:${port}` };
}

const WORKER = `import * as sdk from '@countersign/client';
import { probe } from 'probe.mjs';
import settings from 'settings.json';
const { sources, missing, api, ...rest } = settings;
let client;
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/probe') return Response.json(await probe(sdk, settings));
    client ??= sdk.createClient({ ...rest, api, tokenEndpoint: rest.issuer + '/token' });
    if (pathname === '/call') return await client.fetch(api + '/call');
    // The request for a token is dropped along with this call.
    client.accessToken().catch(() => {});
    return new Response('left');
  },
};
`;

function workerConfig({ folder }: Project, name: string, node: boolean): string {
  const home = 'node_modules/@countersign/client/dist';
  const compiled = globSync('*.js', { cwd: join(folder, home) }).map((file) => {
    return `(name = "@countersign/dist/${file}", esModule = embed "${home}/${file}")`;
  });
  const list = [
    `(name = "worker", esModule = embed "${name}.mjs")`,
    '(name = "probe.mjs", esModule = embed "probe.mjs")',
    `(name = "settings.json", json = embed "${name}-settings.json")`,
    `(name = "@countersign/client", esModule = "export * from './dist/index.js';")`,
    ...compiled,
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
  compatibilityDate = "${node ? '2026-11-01' : '2024-01-01'}",
  compatibilityFlags = [${node ? '"nodejs_compat"' : ''}],
  bindings = [(name = "CLIENT_SECRET", fromEnvironment = "CLIENT_SECRET")],
);
`;
}
