/** Stands before a real authority and a real API: passes everything on, remembers it, and fails twice, as the world does. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Passed = {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
  readonly status: number;
};

export type Front = {
  readonly issuer: string;
  readonly api: string;
  readonly tokens: readonly Passed[];
  readonly calls: readonly Passed[];
  readonly stop: () => Promise<void>;
};

/** Answers the first token request with 503 and the second call with 401; everything else is answered by what is behind. */
export async function startFront(behind: {
  readonly issuer: string;
  readonly api: string;
}): Promise<Front> {
  const tokens: Passed[] = [];
  const calls: Passed[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { url = '', method = 'GET', headers } = request;
    const isToken = url.startsWith('/issuer/');
    const list = isToken ? tokens : calls;
    const target = url.replace(/^\/issuer/, behind.issuer).replace(/^\/api/, behind.api);
    const fault = isToken && tokens.length === 0 ? 503 : !isToken && calls.length === 1 ? 401 : 0;
    const { authorization } = headers;
    const answer =
      fault === 0
        ? await fetch(target, {
            method,
            headers: {
              ...(authorization === undefined ? {} : { authorization }),
              'content-type': headers['content-type'] ?? 'text/plain',
            },
            ...(method === 'GET' ? {} : { body }),
          })
        : new Response('{}', { status: fault, headers: { 'Retry-After': '1' } });
    list.push({ url, authorization, form: new URLSearchParams(body), status: answer.status });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(await answer.text());
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ tokens, calls, issuer: `${origin}/issuer`, api: `${origin}/api` },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
