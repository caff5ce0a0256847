/** A client's whole world in one server: tokens at /token, the API everywhere else, unless a test says otherwise. */

import type { ClientOptions } from '../src/create-client.ts';
import {
  granted,
  type Scripted,
  type ScriptedServer,
  type Seen,
  startScriptedServer,
} from './scripted-server.ts';

export const SECRET = 'secret_test_0000000000000000000000000000000000000000000000000';
export const REFUSED: Scripted = { status: 401, json: { error: 'invalid_client' } };

/** Runs a test beside a server that grants tokens at /token and is the API everywhere else. */
export async function withServer(
  answer: (request: Seen, server: ScriptedServer) => Scripted | undefined,
  body: (server: ScriptedServer, options: ClientOptions) => Promise<void>,
): Promise<void> {
  let tokens = 0;
  const server = await startScriptedServer((request, self) => {
    const scripted = answer(request, self);
    if (scripted !== undefined) return scripted;
    if (request.path !== '/token') return { json: { ok: true } };
    tokens += 1;
    return granted(`token-${tokens}`);
  });
  try {
    await body(server, {
      issuer: server.origin,
      tokenEndpoint: `${server.origin}/token`,
      clientId: 'client_test_0000000000000000',
      clientSecret: SECRET,
      api: server.origin,
    });
  } finally {
    await server.stop();
  }
}
