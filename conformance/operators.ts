/** Works through the admin API as an operator's program would: a credential from the command line, a token, requests. */

import assert from 'node:assert/strict';
import type { Authority, Json } from './harness.ts';

export type Role = 'admin' | 'support' | 'auditor' | 'partner';
export type AdminReply = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
};
export type Operator = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenEndpoint: string;
  readonly token: string;
  /** `ask('GET /programs')`, `ask('POST /programs', { name: 'Acme' })`. */
  ask(
    request: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<AdminReply>;
};

/** A new operator with a token. */
export async function newOperator(
  authority: Authority,
  role: Role,
  program?: string,
): Promise<Operator> {
  const bound = program === undefined ? [] : ['--program', program];
  const made = await authority.cli('operator', 'create', `The ${role}`, '--role', role, ...bound);
  const clientId = String(made['client_id']);
  const clientSecret = String(made['client_secret']);
  const tokenEndpoint = String(made['token_endpoint']);
  const answer = await fetch(tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    }),
  });
  const grant = (await answer.json()) as Json;
  assert.equal(answer.status, 200, JSON.stringify(grant));
  assert.equal(grant['expires_in'], 900, 'operators get short tokens');
  assert.equal(grant['scope'], role);
  const token = String(grant['access_token']);
  return {
    ...{ clientId, clientSecret, tokenEndpoint, token },
    ask: (request, body, headers) => ask(authority, request, { token, body, headers }),
  };
}

/** What an operation answered; fails when it was not done. */
export async function done(reply: Promise<AdminReply>): Promise<Json> {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
}

async function ask(
  authority: Authority,
  request: string,
  sent: {
    token: string;
    body?: unknown;
    headers?: Readonly<Record<string, string>> | undefined;
  },
): Promise<AdminReply> {
  const [method = 'GET', path = ''] = request.split(' ');
  const response = await fetch(`${authority.adminOrigin}/admin/v1${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${sent.token}`,
      ...(sent.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...sent.headers,
    },
    ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
  });
  const text = await response.text();
  const body = text === '' ? {} : (JSON.parse(text) as Json);
  return { status: response.status, headers: response.headers, body };
}
