/** Starts what is measured: the authority as its users start it, onboarded by its own command line, and the bare server. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from './machine.ts';
import { freePort, type RunningServer, start } from './start-process.ts';
import { answerOf, type Kind, type Target } from './target.ts';

export type Authority = RunningServer & {
  readonly targets: Readonly<Record<Kind, Target>>;
  /** Starts it once more, after it was stopped: as it was, or elsewhere. */
  again(place?: AuthorityOptions['place']): Promise<RunningServer>;
};

export type AuthorityOptions = {
  readonly data: string;
  /** Where it runs, and under what. */
  readonly place: (command: string, args: readonly string[]) => Command;
  /** More options of `countersign serve`. */
  readonly args?: readonly string[];
  /** For the server and for its command line. */
  readonly env?: Readonly<Record<string, string>>;
};

/** The command of a checkout, whose workspace links it there, or of a folder in which the package is installed. */
const COMMAND = ['node_modules', 'countersign', 'bin', 'countersign.mjs'];

/** A running authority with a client that asks for tokens, and a resource server and a gateway that ask about them. */
export async function startAuthority(
  folder: string,
  options: AuthorityOptions,
): Promise<Authority> {
  const { data, env = {} } = options;
  const bin = join(folder, ...COMMAND);
  const listen = `127.0.0.1:${await freePort()}`;
  const origin = `http://${listen}`;
  const args = [
    ...[bin, 'serve', '--data', data, '--listen', listen, '--gateway', '127.0.0.1'],
    ...['--admin-listen', `127.0.0.1:${await freePort()}`, ...(options.args ?? [])],
  ];
  const again = (place = options.place) =>
    start({ ...place(process.execPath, args), readyUrl: `${origin}/health/ready`, env });
  const server = await again();
  try {
    const countersign = commandLine(bin, { data, env });
    return { ...server, again, targets: await onboard(countersign, `${origin}/sandbox`) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

type CommandLine = (...args: string[]) => Promise<Record<string, string>>;

function commandLine(bin: string, at: Pick<AuthorityOptions, 'data' | 'env'>): CommandLine {
  return async (...args) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [bin, ...args, '--data', at.data, '--json'],
      { env: { ...process.env, ...at.env } },
    );
    return JSON.parse(stdout);
  };
}

async function onboard(countersign: CommandLine, issuer: string): Promise<Authority['targets']> {
  const inSandbox = ['--environment', 'sandbox'];
  await countersign('scope', 'create', 'accounts:read', ...inSandbox);
  const { program_id: program = '' } = await countersign('program', 'create', 'Bench');
  const create = ['client', 'create', '--program', program, ...inSandbox];
  const partner = credentialsIn(
    await countersign(...create, '--name', 'Partner', '--scope', 'accounts:read'),
  );
  const bank = credentialsIn(await countersign(...create, '--name', 'Bank', '--resource-server'));
  const token = { url: `${issuer}/token`, form: { ...partner, grant_type: 'client_credentials' } };
  const { access_token = '' } = JSON.parse(await answerOf(token));
  const introspect = { url: `${issuer}/introspect`, form: { ...bank, token: access_token } };
  const verify = {
    url: `${issuer}/verify`,
    headers: { Authorization: `Bearer ${access_token}` },
  };
  if (JSON.parse(await answerOf(introspect)).active !== true) {
    throw new Error('the token that was just issued is not active');
  }
  await answerOf(verify);
  return { token, introspect, verify };
}

function credentialsIn(created: Readonly<Record<string, string>>): Record<string, string> {
  const { client_id = '', client_secret = '' } = created;
  return { client_id, client_secret };
}

/** A bare server that is asked what `like` is asked, and whose answers are as long. */
export async function startBareServer(
  like: { readonly form: Target; readonly get: Target },
  place: AuthorityOptions['place'],
): Promise<RunningServer & { readonly form: Target; readonly get: Target }> {
  const port = await freePort();
  const bytes = async (target: Target) => String(Buffer.byteLength(await answerOf(target)));
  const command = place(process.execPath, [
    ...[join(import.meta.dirname, 'bare-server.ts'), '--port', String(port)],
    ...['--answer-bytes', await bytes(like.form), '--get-answer-bytes', await bytes(like.get)],
  ]);
  const url = `http://127.0.0.1:${port}/`;
  const server = await start({ ...command, readyUrl: url });
  return { ...server, form: { ...like.form, url }, get: { ...like.get, url } };
}
