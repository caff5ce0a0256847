/** The other servers: how each is started and asked. Installed here at first use, from a lock of their own; the project never sees them. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuthorityOptions } from './servers.ts';
import { freePort, type RunningServer, start } from './start-process.ts';
import { answerOf, type Kind, type Targets } from './target.ts';

const FOLDER = join(import.meta.dirname, 'peers');
/** As in peers/the-client.mjs. */
const CLIENT = {
  client_id: 'bench',
  client_secret: 'made-up-for-the-bench-and-known-to-everybody',
};

export type Peer = {
  readonly name: string;
  readonly file: string;
  /** Its package, whose version is told; none for what is written here. */
  readonly package?: string;
  /** Paths; what a peer cannot do is not asked. */
  readonly paths: Readonly<Partial<Record<Kind, string>>> & { readonly token: string };
  /** Over PostgreSQL, with these arguments after its URL. */
  readonly onPostgres?: readonly string[];
};

const OAUTH2_SERVER = { package: '@node-oauth/oauth2-server', paths: pathsTo('verify') };

export const PEERS: readonly Peer[] = [
  { name: 'the least honest server', file: 'least.mjs', paths: pathsTo('introspect', 'verify') },
  {
    name: 'node-oidc-provider',
    file: 'oidc-provider.mjs',
    package: 'oidc-provider',
    paths: { token: '/token', introspect: '/token/introspection' },
  },
  { name: 'node-oauth', file: 'oauth2-server.mjs', ...OAUTH2_SERVER },
  { name: 'node-oauth, Express', file: 'oauth2-server-express.mjs', ...OAUTH2_SERVER },
  {
    name: 'ts-oauth2-server',
    file: 'ts-oauth2-server.mjs',
    package: '@jmondi/oauth2-server',
    paths: pathsTo('introspect'),
  },
  {
    // Not introspection: its store in memory looks through all tokens for one.
    name: 'better-auth',
    file: 'better-auth.mjs',
    package: 'better-auth',
    paths: { token: '/api/auth/oauth2/token' },
  },
  {
    name: 'node-oauth, PostgreSQL',
    file: 'production-shape.mjs',
    ...OAUTH2_SERVER,
    onPostgres: [],
  },
  {
    name: 'node-oauth, PostgreSQL, bcrypt',
    file: 'production-shape.mjs',
    package: '@node-oauth/oauth2-server',
    paths: pathsTo(),
    onPostgres: ['bcrypt'],
  },
];

function pathsTo(...kinds: readonly Kind[]): Peer['paths'] {
  return { token: '/token', ...Object.fromEntries(kinds.map((kind) => [kind, `/${kind}`])) };
}

/** Puts the locked versions into bench/peers unless they are there. Throws an Error with what npm says. */
export function installPeers(): void {
  const read = (path: string): unknown =>
    existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  const locked = read(join(FOLDER, 'package-lock.json')) as { packages: Record<string, unknown> };
  const installed = read(join(FOLDER, 'node_modules', '.package-lock.json')) as typeof locked;
  const missing = Object.keys(dependencies()).filter(
    (name) => versionIn(locked, name) !== versionIn(installed, name),
  );
  if (missing.length === 0) return;
  console.error(`installing ${missing.join(', ')} into bench/peers`);
  const npm = spawnSync(
    'npm',
    ['ci', '--prefix', FOLDER, '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      cwd: FOLDER,
      encoding: 'utf8',
    },
  );
  if (npm.status !== 0) throw new Error(`the peers could not be installed: ${npm.stderr}`);
}

function versionIn(lock: { packages?: Record<string, unknown> }, name: string): unknown {
  return (lock.packages?.[`node_modules/${name}`] as { version?: string } | undefined)?.version;
}

/** Exact versions, by package. */
export function dependencies(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')).dependencies;
}

/** Starts one; `databaseUrl` is asked for only when it stands on PostgreSQL. */
export async function startPeer(
  peer: Peer,
  at: {
    readonly place: AuthorityOptions['place'];
    readonly databaseUrl: () => Promise<string>;
  },
): Promise<RunningServer & { readonly targets: Targets }> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const more = peer.onPostgres === undefined ? [] : [await at.databaseUrl(), ...peer.onPostgres];
  const command = at.place(process.execPath, [join(FOLDER, peer.file), String(port), ...more]);
  const env = { NODE_ENV: 'production' };
  const server = await start({ ...command, readyUrl: `${origin}/.well-known/none`, env });
  try {
    return { ...server, targets: await targetsOf(peer, origin) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Asks once for everything, so that nothing is measured that answers nonsense. */
async function targetsOf({ paths, name }: Peer, origin: string): Promise<Targets> {
  const token = {
    url: `${origin}${paths.token}`,
    form: { ...CLIENT, grant_type: 'client_credentials' },
  };
  const { access_token = '' } = JSON.parse(await answerOf(token));
  if (access_token === '') throw new Error(`${name} answered without a token`);
  const introspect = paths.introspect && {
    url: `${origin}${paths.introspect}`,
    form: { ...CLIENT, token: access_token },
  };
  const verify = paths.verify && {
    url: `${origin}${paths.verify}`,
    headers: { Authorization: `Bearer ${access_token}` },
  };
  if (introspect && JSON.parse(await answerOf(introspect)).active !== true) {
    throw new Error(`${name} does not know the token that it has just issued`);
  }
  if (verify) await answerOf(verify);
  return { token, ...(introspect && { introspect }), ...(verify && { verify }) };
}
