/** The real authority in a folder of its own: served by one process, operated by the command line in others. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Running, start } from './process.ts';

const MAIN = join(import.meta.dirname, '../../../server/src/main.ts');

export const SCOPES = [
  'accounts:read',
  'profiles:read',
  'profiles:write',
  'transactions:read',
  'transactions:write',
];

export type Credentials = { readonly clientId: string; readonly clientSecret: string };

export type Authority = {
  readonly process: Running;
  readonly folder: string;
  /** Issuer URL of an environment. */
  readonly issuer: (environment: string) => string;
  /** Runs one command, and returns the JSON document that it prints. */
  readonly operate: (...args: readonly string[]) => Promise<Readonly<Record<string, unknown>>>;
  readonly stop: () => Promise<void>;
};

/**
 * Starts an authority with the scopes of the Banking API declared in its sandbox; `main` is another build of its program. At a given port
 * it knows its own name, as metadata needs.
 */
export async function startAuthority({ main = MAIN, port = 0 } = {}): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-'));
  const env = { COUNTERSIGN_DATA: join(folder, 'authority') };
  const listen = ['--listen', `127.0.0.1:${port}`, '--admin-listen', '127.0.0.1:0'];
  // A port that is not known yet makes no URL; requests are routed by their path, so that any will do.
  const url = port === 0 ? ['--public-url', 'http://localhost'] : [];
  const served = start([main, 'serve', ...listen, ...url], { cwd: folder, env });
  const [, origin = ''] = await served.says(/"listen":"(http:[^"]+)"/);
  const authority: Authority = {
    process: served,
    folder,
    issuer: (environment) => `${origin}/${environment}`,
    operate: async (...args) => {
      const command = [main, ...args, '--json'];
      const options = { cwd: folder, env: { ...process.env, ...env } };
      const { stdout } = await promisify(execFile)(process.execPath, command, options);
      return JSON.parse(stdout);
    },
    stop: async () => {
      await served.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const declare = (scope: string) =>
    authority.operate('scope', 'create', scope, '--environment', 'sandbox');
  await Promise.all(SCOPES.map(declare));
  return authority;
}

/** Onboards a program, and returns its id. */
export async function onboard({ operate }: Authority, name: string): Promise<string> {
  return String((await operate('program', 'create', name))['program_id']);
}

/** Makes a client; `flags` say what else it is. */
export async function newClient(
  { operate }: Authority,
  client: {
    readonly programId: string;
    readonly environment?: string;
    readonly flags?: readonly string[];
  },
): Promise<Credentials> {
  const { programId, environment = 'sandbox', flags = ['--scope', SCOPES.join(' ')] } = client;
  const where = ['--program', programId, '--environment', environment, '--name', 'Server'];
  const made = await operate('client', 'create', ...where, ...flags);
  return { clientId: String(made['client_id']), clientSecret: String(made['client_secret']) };
}

/** Asks for a token as a partner's server does: with all of its scopes, or with some. */
export function askToken(
  issuer: string,
  credentials: Credentials,
  scopes: readonly string[] = [],
): Promise<Response> {
  return fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret,
      grant_type: 'client_credentials',
      ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    }),
  });
}

/** A token, or an error that shows the refusal. */
export async function tokenOf(
  issuer: string,
  credentials: Credentials,
  scopes?: readonly string[],
): Promise<string> {
  const response = await askToken(issuer, credentials, scopes);
  const answer = (await response.json()) as Record<string, unknown>;
  if (typeof answer['access_token'] === 'string') return answer['access_token'];
  throw new Error(`no token: ${JSON.stringify(answer)}`);
}
