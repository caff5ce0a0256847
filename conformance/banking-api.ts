/** The sample Banking API as the bank runs it: a process of its own, with a client of its own at the authority. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Authority } from './harness.ts';
import { newClient, newProgram } from './onboarding.ts';

const SERVER = join(import.meta.dirname, '../examples/banking-api/server.ts');
const START_MS_MAX = 20_000;

export type BankingApi = {
  readonly url: string;
  /** Status of a call with this token. */
  readonly call: (token: string) => Promise<number>;
  readonly written: () => string;
  readonly secret: string;
  readonly stop: () => Promise<void>;
};

export async function startBankingApi(authority: Authority): Promise<BankingApi> {
  const bank = await newProgram(authority, 'The bank');
  const client = await newClient(authority, bank, { isResourceServer: true });
  const child = spawn(process.execPath, [SERVER], {
    env: {
      ...process.env,
      BANKING_API_LISTEN: '127.0.0.1:0',
      ISSUER: authority.issuer(),
      CLIENT_ID: client.client_id,
      CLIENT_SECRET: client.client_secret,
      BANKING_API_DATA: join(authority.data, 'banking-api'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const written = recording(child);
  const url = await listening(child, written);
  return {
    url,
    written,
    secret: client.client_secret,
    call: async (token) => {
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(`${url}/v1/accounts`, { headers });
      await response.arrayBuffer();
      return response.status;
    },
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'close');
    },
  };
}

function recording(child: ChildProcess): () => string {
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      written += text;
    });
  }
  return () => written;
}

async function listening(child: ChildProcess, written: () => string): Promise<string> {
  const deadlineMs = performance.now() + START_MS_MAX;
  for (;;) {
    const url = /^Banking API on (http:\S+),/m.exec(written())?.[1];
    if (url !== undefined) return url;
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error(`the Banking API did not start:\n${written()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
