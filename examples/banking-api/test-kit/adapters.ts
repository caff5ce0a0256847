/** The same routes on each framework that has a guard: real servers on real sockets. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Identity, Verifier } from '@countersign/resource-server';
import * as forExpress from '@countersign/resource-server/express';
import * as forFastify from '@countersign/resource-server/fastify';
import * as forHono from '@countersign/resource-server/hono';
import * as forNode from '@countersign/resource-server/node';
import { createAdaptorServer } from '@hono/node-server';
import express from 'express';
import fastify, { type FastifyRequest } from 'fastify';
import { type Context, Hono } from 'hono';

/** Stands before everything at and below the path of its route. */
export type Guard = {
  readonly verifier: Verifier;
  readonly scope?: string;
  /** Where a proxy would write the caller's address, in lower case; left out, the socket's counts. */
  readonly addressHeader?: string;
};

export type Route = {
  readonly path: string;
  /** Undefined: nobody stands before the handler. */
  readonly guard: Guard | undefined;
  /** Makes the answer's JSON. `who` is `requireIdentity` of the framework, `typed` its own idiom for the same. */
  readonly handle: (who: () => Identity, typed: () => Identity) => string;
};

export type Served = { readonly port: number; readonly stop: () => Promise<void> };
export type Adapter = {
  readonly name: string;
  readonly serve: (routes: readonly Route[]) => Promise<Served>;
};

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** The options of a guard; without the header that it wants, its `clientIp` throws. */
function optionsOf<Request>(
  { scope = '', addressHeader }: Guard,
  headerOf: (request: Request, name: string) => unknown,
): { readonly scope: string; readonly clientIp?: (request: Request) => string } {
  if (addressHeader === undefined) return { scope };
  const clientIp = (request: Request): string => {
    const address = headerOf(request, addressHeader);
    if (typeof address === 'string') return address;
    throw new Error('no proxy stood before this request');
  };
  return { scope, clientIp };
}

const headerOf = ({ headers }: IncomingMessage | FastifyRequest, name: string) => headers[name];

const onNode: Adapter = {
  name: 'node:http',
  serve: (routes) => {
    const guarded = routes.map(({ guard, ...route }) => ({
      ...route,
      pass: guard && forNode.newGuard(guard.verifier, optionsOf(guard, headerOf)),
    }));
    const server = createServer(async (request, response) => {
      try {
        const path = new URL(request.url ?? '', 'http://api').pathname;
        const route = guarded.find((one) => path === one.path || path.startsWith(`${one.path}/`));
        if (route === undefined) return void response.writeHead(404).end();
        if (route.pass !== undefined && (await route.pass(request, response)) === undefined) return;
        const who = () => forNode.requireIdentity(request);
        const body = route.handle(who, who);
        response.writeHead(200, { ...JSON_TYPE, 'Content-Length': body.length }).end(body);
      } catch {
        response.writeHead(500).end();
      }
    });
    return listening(server);
  },
};

const onExpress: Adapter = {
  name: 'Express',
  serve: (routes) => {
    const app = express();
    for (const { path, guard, handle } of routes) {
      // Mounted, so that `request.url` lacks the path by which the guard was reached.
      if (guard) app.use(path, forExpress.newGuard(guard.verifier, optionsOf(guard, headerOf)));
      app.all([path, `${path}/*rest`], (request, response) => {
        const who = () => forExpress.requireIdentity(request);
        const body = handle(who, who);
        response.type('json').send(body);
      });
    }
    const chain: (request: IncomingMessage, response: ServerResponse, end: () => void) => void =
      app;
    const server = createServer((request, response) => {
      // At the end of the chain, where Express itself would answer, and log.
      chain(request, response, () => response.writeHead(500).end());
    });
    return listening(server);
  },
};

const onFastify: Adapter = {
  name: 'Fastify',
  serve: async (routes) => {
    const app = fastify().register(forFastify.withIdentity);
    for (const { path, guard, handle } of routes) {
      const hooks = guard
        ? { onRequest: forFastify.newGuard(guard.verifier, optionsOf(guard, headerOf)) }
        : {};
      for (const url of [path, `${path}/*`]) {
        app.all(url, hooks, (request, reply) => {
          const who = () => forFastify.requireIdentity(request);
          const body = handle(who, () => request.identity);
          return reply.headers(JSON_TYPE).send(body);
        });
      }
    }
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    return {
      port,
      stop: async () => {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  },
};

const onHono: Adapter = {
  name: 'Hono',
  serve: (routes) => {
    const app = new Hono<forHono.Guarded>();
    const header = (c: Context, name: string) => c.req.header(name);
    for (const { path, guard, handle } of routes) {
      if (guard) app.use(`${path}/*`, forHono.newGuard(guard.verifier, optionsOf(guard, header)));
      for (const url of [path, `${path}/*`]) {
        app.all(url, (c) => {
          const who = () => forHono.requireIdentity(c);
          return c.body(
            handle(who, () => c.var.identity),
            200,
            JSON_TYPE,
          );
        });
      }
    }
    app.onError((_error, c) => c.body('', 500));
    return listening(createAdaptorServer(app) as Server);
  },
};

export const ADAPTERS: readonly Adapter[] = [onNode, onExpress, onFastify, onHono];

async function listening(server: Server): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
