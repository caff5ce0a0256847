/** Starts an API for each framework, as a process of its own that follows the authority's revocations. Measures nothing. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ADAPTERS } from '../examples/banking-api/test-kit/adapters.ts';
import type { Onboarded } from '../server/src/testing/onboarding.ts';
import type { Placement } from './machine.ts';

export type Api = {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** How often it has asked the authority so far. */
  readonly questions: () => Promise<number>;
  readonly stop: () => Promise<void>;
};

export type ApisWanted = {
  readonly issuer: string;
  /** Credentials of a resource server. */
  readonly own: Onboarded;
  readonly placement: Placement;
};

/** Runs `body` with one API a framework, and ends them whatever happens. */
export async function withApis<T>(
  wanted: ApisWanted,
  body: (apis: readonly Api[]) => Promise<T>,
): Promise<T> {
  const apis: Api[] = [];
  try {
    for (const { name } of ADAPTERS) apis.push(await startApi(name, wanted));
    return await body(apis);
  } finally {
    await Promise.all(apis.map((api) => api.stop()));
  }
}

async function startApi(name: string, { issuer, own, placement }: ApisWanted): Promise<Api> {
  const script = join(import.meta.dirname, 'api-server.ts');
  const { command, args } = placement.onServerCore(process.execPath, [script, name]);
  const { clientId, clientSecret } = own;
  const child = spawn(command, [...args], {
    env: { ...process.env, ISSUER: issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    throw new Error(`the API on ${name} did not start`);
  });
  const lines = createInterface({ input: child.stdout });
  const [port] = (await Promise.race([once(lines, 'line'), failed])) as [string];
  failed.catch(() => {});
  const url = `http://127.0.0.1:${port}`;
  if (child.pid === undefined) throw new Error('an API that listens has no process');
  return {
    ...{ name, url, pid: child.pid },
    questions: async () => Number(await (await fetch(`${url}/questions`)).text()),
    stop: async () => {
      process.off('exit', kill);
      kill();
      await exited;
    },
  };
}
