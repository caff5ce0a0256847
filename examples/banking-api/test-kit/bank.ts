/** The Banking API as a process beside an authority, and how a test calls it. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  type Credentials,
  newClient,
  onboard,
  startAuthority,
} from './authority.ts';
import { type Running, start } from './process.ts';

const SERVER = join(import.meta.dirname, '../server.ts');

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  // What a test expects to find there is what it checks.
  readonly body: Readonly<Record<string, unknown>>;
};

export type BankingApi = {
  readonly process: Running;
  readonly url: string;
  /** One call; with a token, in its header. */
  readonly call: (
    path: string,
    request?: {
      readonly token?: string | undefined;
      readonly method?: string;
      readonly json?: unknown;
      readonly key?: string | undefined;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ) => Promise<Reply>;
};

/** Starts the API with its own credentials and its data in a folder. */
export async function startBankingApi(settings: {
  readonly issuer: string;
  readonly folder: string;
  readonly credentials: Credentials;
  /** Its main file: another one than the API's own, to test the tests. */
  readonly server?: string;
}): Promise<BankingApi> {
  const { issuer, folder, credentials, server = SERVER } = settings;
  await mkdir(folder, { recursive: true });
  const running = start([server], {
    cwd: folder,
    env: {
      BANKING_API_LISTEN: '127.0.0.1:0',
      ISSUER: issuer,
      CLIENT_ID: credentials.clientId,
      CLIENT_SECRET: credentials.clientSecret,
      BANKING_API_DATA: join(folder, 'banking-api'),
    },
  });
  const [, url = ''] = await running.says(/^Banking API on (http:\S+),/);
  return {
    process: running,
    url,
    call: async (path, { token, method, json, key, headers = {} } = {}) => {
      const response = await fetch(url + path, {
        method: method ?? (json === undefined ? 'GET' : 'POST'),
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(key === undefined ? {} : { 'Idempotency-Key': key }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
      const text = await response.text();
      const body = text === '' ? {} : JSON.parse(text);
      return { status: response.status, headers: response.headers, body };
    },
  };
}

export type Bank = {
  readonly authority: Authority;
  readonly api: BankingApi;
  /** The API's own. */
  readonly credentials: Credentials;
  /** Issuer of the environment that the API stands in. */
  readonly issuer: string;
  readonly stop: () => Promise<void>;
};

/** An authority and a Banking API that checks the tokens of its sandbox. */
export async function openBank(at: { readonly port?: number } = {}): Promise<Bank> {
  const authority = await startAuthority(at);
  const issuer = authority.issuer('sandbox');
  const credentials = await newClient(authority, {
    programId: await onboard(authority, 'Bank'),
    flags: ['--resource-server'],
  });
  const api = await startBankingApi({ issuer, folder: authority.folder, credentials });
  return {
    authority,
    api,
    credentials,
    issuer,
    stop: async () => {
      await api.process.stop();
      await authority.stop();
    },
  };
}
