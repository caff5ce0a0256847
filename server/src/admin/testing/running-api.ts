/** The admin API of a real node on a data directory of its own, within this process, with an operator of each role. */

import { newNode } from '../../authority.ts';
import { readConfig } from '../../config.ts';
import { systemRandomness } from '../../credentials/random.ts';
import { openDataDirectory } from '../../data-directory.ts';
import { buildListener } from '../../http/listener.ts';
import type { OperationContext } from '../../operations/context.ts';
import { createProgram } from '../../operations/create-program.ts';
import { createOperator } from '../../operations/operators.ts';
import { setPolicy } from '../../operations/policies.ts';
import { OPERATORS, type Role } from '../../ports/model.ts';
import { adminRoutes } from '../../routes.ts';
import { systemClock } from '../../system-clock.ts';
import { newDataDirectory } from '../../testing/data.ts';
import { withProblems } from '../problem.ts';

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
};
export type Asking = {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Api = {
  readonly url: string;
  readonly context: OperationContext;
  /** The program that the partner is bound to, and one that it is not. */
  readonly own: string;
  readonly foreign: string;
  readonly tokens: Readonly<Record<Role, string>>;
  /** Asks as a role, `GET /programs`, or as nobody. */
  ask(role: Role | undefined, request: string, asking?: Asking): Promise<Reply>;
  stop(): Promise<void>;
};

export async function startApi(): Promise<Api> {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const parts = { clock: systemClock, randomness: systemRandomness(), log };
  const flags = { data: newDataDirectory(), 'admin-listen': '127.0.0.1:1' };
  const config = readConfig({ flags, env: {} });
  const data = await openDataDirectory(config, { ...parts, actor: 'test:setup' });
  const node = await newNode({ ...parts, config, data });
  await node.start();
  const { authority, contextOf } = node;
  const [environment] = (await data.store.directory.environments()).filter(
    ({ name }) => name === OPERATORS.environment,
  );
  const diagnose = () => Promise.resolve([{ name: 'test', ok: true, detail: 'fine' }]);
  const listener = await buildListener({
    ...parts,
    routes: adminRoutes({ authority, contextOf, diagnose }, environment!),
    refusing: withProblems(authority.refusing),
  });
  const { origin } = await listener.listen({ host: '127.0.0.1', port: 0, option: '' });
  const url = `${origin}/admin/v1`;
  const context = contextOf('test:setup');
  // Most tests are about what comes after a secret.
  await setPolicy(context, { name: 'secret-handover', value: 'shown' });
  const own = (await createProgram(context, { name: 'Own' })).programId;
  const foreign = (await createProgram(context, { name: 'Foreign' })).programId;
  const entries = await Promise.all(
    OPERATORS.roles.map(
      async (role) => [role, await tokenOf(origin, context, { role, program: own })] as const,
    ),
  );
  const tokens = Object.fromEntries(entries) as Record<Role, string>;
  return {
    ...{ url, context, own, foreign, tokens },
    ask: (role, request, asking = {}) =>
      ask(url, request, {
        ...asking,
        headers: {
          ...(role === undefined ? {} : { Authorization: `Bearer ${tokens[role]}` }),
          ...asking.headers,
        },
      }),
    stop: async () => {
      await listener.close();
      await node.stop();
    },
  };
}

async function ask(url: string, request: string, asking: Asking): Promise<Reply> {
  const [method = 'GET', path = ''] = request.split(' ');
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(asking.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...asking.headers,
    },
    ...(asking.body === undefined
      ? {}
      : { body: typeof asking.body === 'string' ? asking.body : JSON.stringify(asking.body) }),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, body: text === '' ? {} : (JSON.parse(text) as Reply['body']) };
}

/** A token of a new operator, got as operators get theirs. */
async function tokenOf(
  origin: string,
  context: OperationContext,
  { role, program }: { readonly role: Role; readonly program: string },
): Promise<string> {
  const bound = role === 'partner' ? { programId: program } : {};
  const made = await createOperator(context, { name: `The ${role}`, role, ...bound });
  const answer = await fetch(`${origin}/admin/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: made.clientId,
      client_secret: made.clientSecret.reveal(),
    }),
  });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`${role} got no token: ${answer.status}`);
  return token;
}
