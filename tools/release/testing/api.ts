/** A small API behind the packed guard, which counts what reaches it; run as a program, so that any Node can be its Node. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as Root from '../../../resource-server/src/index.ts';
import type * as Guards from '../../../resource-server/src/node.ts';

/** Starts it and says where it is. `/seen` tells, to a test on this machine alone, what it has seen. */
export function startApi(
  { createVerifier }: typeof Root,
  { newGuard }: typeof Guards,
  settings: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string },
): void {
  const calls: Record<string, number> = {};
  const tokens = new Set<string>();
  const verifier = createVerifier({ ...settings, onOutage: console.error });
  const guard = newGuard(verifier, { scope: 'accounts:read' });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '' } = request;
    if (url === '/seen') {
      response.end(JSON.stringify({ calls, tokens: [...tokens] }));
      return;
    }
    calls[url] = (calls[url] ?? 0) + 1;
    if (url.startsWith('/moved-token')) {
      response.writeHead(307, { Location: '/stolen' }).end();
      return;
    }
    const [, token] = (request.headers.authorization ?? '').split(' ');
    if (token !== undefined) tokens.add(token);
    if (url === '/refused') {
      response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end();
      return;
    }
    const identity = await guard(request, response);
    if (identity === undefined) return;
    if (url === '/moved') response.writeHead(302, { Location: '/stolen' });
    if (request.method === 'POST') request.pipe(response);
    else response.end(JSON.stringify({ program: identity.programId }));
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1', () => {
    console.log(`API on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}
