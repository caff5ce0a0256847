/** A server that answers as a test tells it to, for answers that no healthy authority gives. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Seen = {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
};

export type ScriptedServer = {
  readonly origin: string;
  readonly seen: readonly Seen[];
  /** Requests to this path. */
  readonly count: (path: string) => number;
  readonly stop: () => Promise<void>;
};

/** What to answer: the status, a JSON body, headers. */
export type Scripted = {
  readonly status?: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
};

export async function startScriptedServer(
  answer: (request: Seen, server: ScriptedServer) => Scripted,
): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const one: Seen = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      form: new URLSearchParams(body),
    };
    seen.push(one);
    const { status = 200, json = {}, headers = {}, delayMs = 0 } = answer(one, scripted);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(json));
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const scripted: ScriptedServer = {
    origin,
    seen,
    count: (path) => seen.filter((one) => one.path === path).length,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return scripted;
}

/** The answer to a token request. */
export function granted(token: string, expiresInSeconds = 3600): Scripted {
  const json = { access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds };
  return { json };
}
