/** Finds who answers a request: Fastify's router over routes that are data. Every method of a known path has an answer. */

import { type IncomingMessage, METHODS, type Server } from 'node:http';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Answering, Exchange } from './answering.ts';
import type { Connections } from './connections.ts';
import type { Flow, Handler } from './exchange-flow.ts';
import type { Explain } from './failures.ts';
import { MALFORMED, methodNotAllowed, NOT_FOUND } from './refusals.ts';

export type Route = {
  /** Only requests for this host name, whatever their port; left out: any. */
  readonly host?: string;
  /** Compared as it stands: case, slashes and all. */
  readonly path: string;
  /** A health probe: answered under overload, and to peers that are no declared proxy. */
  readonly isProbe?: boolean;
  /** GET answers HEAD too. Whatever is not here is answered 405. */
  readonly methods: { readonly POST?: Handler; readonly GET?: Handler };
};

type Parts = {
  readonly server: Server;
  readonly routes: readonly Route[];
  readonly nextId: () => string;
  readonly connections: Connections;
  readonly answering: Answering;
  readonly explain: Explain;
  readonly flow: Flow;
};

type Instance = ReturnType<typeof makeInstance>;
type Entry = (request: FastifyRequest, reply: FastifyReply) => void;

/** CONNECT never comes here: Node hands its socket over before there is a request to route. */
const ROUTED_METHODS = METHODS.filter((method) => method !== 'CONNECT');

/** Puts a router on the server. */
export function makeRouter(parts: Parts): Instance {
  const instance = makeInstance(parts);
  // To Fastify no method has a body: ours are read by the flow, as bytes, after the checks that need none of them.
  for (const method of ROUTED_METHODS) {
    instance.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  for (const route of parts.routes) addRoute(instance, route, parts);
  instance.setNotFoundHandler(
    entry(parts, (exchange) => parts.answering.refuse(exchange, NOT_FOUND)),
  );
  return instance;
}

function makeInstance(parts: Parts) {
  const { server, nextId, connections, answering } = parts;
  return fastify({
    serverFactory: (handler) => {
      server.on('request', handler);
      // The flow says 100 or refuses; and an expectation that we do not know may be ignored (RFC 9110 §10.1.1).
      server.on('checkContinue', handler);
      server.on('checkExpectation', handler);
      return server;
    },
    logger: false,
    genReqId: nextId,
    exposeHeadRoutes: false,
    // A request that arrives while closing is served, and its answer ends the connection.
    return503OnClosing: false,
    clientErrorHandler: connections.refuseBytes,
    frameworkErrors: (_error, request, reply) =>
      entry(parts, (exchange) => answering.refuseAndClose(exchange, MALFORMED))(
        request as FastifyRequest,
        reply as FastifyReply,
      ),
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      // The endpoints get the query as it came.
      querystringParser: () => NO_QUERY,
      constraints: { issuerHost: HOST_CONSTRAINT },
    },
  });
}

const NO_QUERY = Object.freeze({});

function addRoute(instance: Instance, route: Route, parts: Parts): void {
  if (!/^\/[^:*%?#]*$/.test(route.path))
    throw new Error(`Not a path that can be served: ${route.path}`);
  const { GET, POST } = route.methods;
  const add = (methods: readonly string[], handler: Entry): void => {
    instance.route({
      method: methods as string[],
      url: route.path,
      handler,
      ...(route.host === undefined
        ? {}
        : { constraints: { issuerHost: route.host.toLowerCase() } }),
    });
  };
  const target = (handle: Handler): Entry => {
    const found = { path: route.path, isProbe: route.isProbe === true, handle };
    return entry(parts, (exchange) => parts.flow.serve(found, exchange));
  };
  const allowed: string[] = [];
  if (GET !== undefined) allowed.push('GET', 'HEAD');
  if (GET !== undefined) add(['GET', 'HEAD'], target(GET));
  if (POST !== undefined) allowed.push('POST');
  if (POST !== undefined) add(['POST'], target(POST));
  const refusal = methodNotAllowed(allowed.join(', '));
  const others = ROUTED_METHODS.filter((method) => !allowed.includes(method));
  add(
    others,
    entry(parts, (exchange) => parts.answering.refuse(exchange, refusal)),
  );
}

/** Takes a request out of Fastify's hands: from here on the exchange writes its own answer. */
function entry(
  { connections, answering, explain }: Pick<Parts, 'connections' | 'answering' | 'explain'>,
  then: (exchange: Exchange) => void,
): Entry {
  return (request, reply) => {
    reply.hijack();
    // While closing, Fastify has every answer end its connection; of pipelined ones that would lose all but the first.
    if (connections.isDraining()) reply.raw.removeHeader('connection');
    const connection = connections.begin(request.raw);
    if (connection === undefined) return;
    const exchange = { id: request.id, request: request.raw, response: reply.raw, connection };
    try {
      then(exchange);
    } catch (error) {
      // A fault of this layer: no endpoint's exception comes this far.
      const where = { requestId: request.id, path: '' };
      answering.refuseAndClose(exchange, explain(error, where));
    }
  };
}

/** Host names are compared without case and port (RFC 9110 §4.2.3); an absolute target overrides Host (RFC 9112 §3.2.2). */
const HOST_CONSTRAINT = {
  name: 'issuerHost',
  mustMatchWhenDerived: false,
  storage: () => {
    const stores = new Map<unknown, never>();
    return {
      get: (host: unknown) => stores.get(host) ?? null,
      set: (host: unknown, store: never) => void stores.set(host, store),
    };
  },
  deriveConstraint: (request: IncomingMessage) => hostName(request),
  validate: () => undefined,
};

function hostName({ url = '', headers }: IncomingMessage): string {
  const authority = url.startsWith('/') ? headers.host : /^https?:\/\/([^/?#]*)/i.exec(url)?.[1];
  return (authority ?? '').replace(/:\d*$/, '').toLowerCase();
}
