/** The HTTP of the Banking API: finds the route, lets the request be authorized, writes the answer, and drains at the end. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Answer, failure, notFound, Refused } from './answer.ts';
import type { Authorize } from './authorize.ts';
import type { Route } from './routes.ts';

const ARRIVAL_MS_MAX = 10_000;
const CONNECTIONS_MAX = 1_000;
const DRAIN_MS_MAX = 5_000;

export type Listener = {
  readonly listen: (at: { readonly host: string; readonly port: number }) => Promise<number>;
  /** Accepts nothing more, answers what is under way, and resolves when that is done or its time is up. */
  readonly close: () => Promise<void>;
};

type Parts = {
  readonly routes: readonly Route[];
  readonly authorize: Authorize;
  /** Prepares for a program that may never have called before. */
  readonly welcome: (programId: string) => void;
  readonly warn: (message: string) => void;
};

/** Builds the listener over its routes. */
export function makeListener(parts: Parts): Listener {
  let closing = false;
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    try {
      return await dispatch(parts, request);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      // Whoever hung up in the middle of a body reads no answer, and is no failure of ours.
      if (!request.destroyed) parts.warn(`A request failed: ${stackOf(error)}`);
      return answerFailure(error);
    }
  };
  const server = createServer(
    { requestTimeout: ARRIVAL_MS_MAX, headersTimeout: ARRIVAL_MS_MAX },
    async (request, response) => {
      const answered = await answer(request);
      // A body that was not read to its end would be taken for the next request.
      const ends = closing || !request.complete;
      send(response, answered, ends);
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  return {
    listen: (at) => listen(server, at),
    close: () => {
      closing = true;
      return drain(server);
    },
  };
}

async function dispatch(parts: Parts, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = targetOf(request);
  if (pathname === '/health/live') return { status: 200, body: { status: 'live' } };
  const here = parts.routes.filter(({ path }) => path.test(pathname));
  if (here.length === 0) throw notFound('There is nothing at this URL. Check its path.');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = here.find((one) => one.method === method);
  if (route === undefined) throw methodNotAllowed(here);
  // Success needs a token first: no body is read and no row is touched for a caller without one.
  const { programId } = await parts.authorize(request, route.scope);
  parts.welcome(programId);
  const id = route.path.exec(pathname)?.[1] ?? '';
  return route.handle({ programId, id, query: searchParams, request });
}

/** An outage of the database is nobody's fault and passes: 503. Anything else is a fault of this API. */
function answerFailure(error: unknown): Answer {
  const isOutage = error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
  return isOutage
    ? failure({
        status: 503,
        code: 'temporarily_unavailable',
        description: 'The Banking API cannot reach its data just now. Repeat after Retry-After.',
        headers: { 'Retry-After': '1' },
      })
    : failure({
        status: 500,
        code: 'server_error',
        description: 'The Banking API failed and has logged why. Repeat the request later.',
      });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? String(error.stack) : 'unknown reason';
}

/** The path as it came: nothing is decoded or resolved, so that one resource has one spelling. */
function targetOf({ url = '' }: IncomingMessage): {
  readonly pathname: string;
  readonly searchParams: URLSearchParams;
} {
  const mark = url.indexOf('?');
  if (mark === -1) return { pathname: url, searchParams: new URLSearchParams() };
  return { pathname: url.slice(0, mark), searchParams: new URLSearchParams(url.slice(mark + 1)) };
}

function methodNotAllowed(routes: readonly Route[]): Refused {
  const allow = routes
    .map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method))
    .sort()
    .join(', ');
  const description = `This URL answers ${allow} only.`;
  const headers = { Allow: allow };
  return new Refused(failure({ status: 405, code: 'invalid_request', description, headers }));
}

function send(response: ServerResponse, { status, headers, body }: Answer, ends: boolean): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...headers,
    ...(ends ? { Connection: 'close' } : {}),
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}

function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const why = 'code' in cause && cause.code === 'EADDRINUSE' ? 'is in use' : cause.message;
      const mend = 'Choose another address with BANKING_API_LISTEN=HOST:PORT.';
      reject(new Error(`Cannot listen on ${at.host}:${at.port}: ${why}. ${mend}`, { cause }));
    });
    server.listen(at, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : at.port);
    });
  });
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), DRAIN_MS_MAX);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
