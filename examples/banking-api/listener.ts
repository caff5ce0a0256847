/** The HTTP of the Banking API: answers each request under an id and writes a line about it, and drains at the end. */

import { randomBytes } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type Answer, problemAnswer, Refused } from './answer.ts';
import type { Dispatch, Seen } from './dispatch.ts';

const ARRIVAL_MS_MAX = 10_000;
const CONNECTIONS_MAX = 1_000;
const DRAIN_MS_MAX = 5_000;

export type Listener = {
  readonly listen: (at: { readonly host: string; readonly port: number }) => Promise<number>;
  /** Accepts nothing more, answers what is under way, and resolves when that is done or its time is up. */
  readonly close: () => Promise<void>;
};

export type Log = {
  /** One answered request. Neither its URL nor a header stands in it, so no token can. */
  readonly line: (line: Readonly<Record<string, unknown>>) => void;
  readonly warn: (message: string) => void;
};

/** Builds the listener over what dispatches requests. */
export function makeListener(dispatch: Dispatch, log: Log): Listener {
  let closing = false;
  const server = createServer(
    { requestTimeout: ARRIVAL_MS_MAX, headersTimeout: ARRIVAL_MS_MAX },
    async (request, response) => {
      const since = performance.now();
      const requestId = `req_${randomBytes(12).toString('hex')}`;
      const seen: Seen = {};
      const answer = await dispatch(request, seen).catch((error: unknown) => {
        if (error instanceof Refused) return problemAnswer(error, requestId);
        // Whoever hung up in the middle of a body reads no answer, and is no failure of ours.
        if (!request.destroyed) log.warn(`${requestId} failed: ${stackOf(error)}`);
        return problemAnswer(failure(error), requestId);
      });
      response.setHeader('X-Request-Id', requestId);
      // A body that was not read to its end would be taken for the next request.
      send(response, answer, closing || !request.complete);
      const { route, identity } = seen;
      const ms = Math.round(performance.now() - since);
      const { programId, clientId, tokenId } = identity ?? {};
      log.line({
        ...{ request_id: requestId, method: request.method, route, status: answer.status, ms },
        ...{ program_id: programId, client_id: clientId, token_id: tokenId },
      });
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

/** An outage of the database is nobody's fault and passes: 503. Anything else is a fault of this API. */
function failure(error: unknown): Refused {
  const isOutage = error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
  if (!isOutage) return new Refused('failed', 'The fault is on this side. Repeat it later.');
  const detail = 'The Banking API cannot reach its data just now. Repeat after Retry-After.';
  return new Refused('temporarily-unavailable', detail, { headers: { 'Retry-After': '1' } });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? String(error.stack) : 'unknown reason';
}

function send(response: ServerResponse, { status, headers, body }: Answer, ends: boolean): void {
  // Whoever calls by hand finds the prompt on a line of its own.
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    ...headers,
    ...(ends ? { Connection: 'close' } : {}),
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
