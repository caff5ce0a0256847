/** A listener: everything between a socket and an endpoint. It knows HTTP, and nothing of what the endpoints decide. */

import type { Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { newRefusing, type Refusing } from '../endpoints/refusing.ts';
import type { Clock, Randomness } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { makeAddresses, peerAddress } from './addresses.ts';
import { makeAnswering } from './answering.ts';
import { watchConnections } from './connections.ts';
import { describeError } from './describe-error.ts';
import { makeFlow } from './exchange-flow.ts';
import { makeExplain } from './failures.ts';
import { HTTP_LIMITS, type HttpLimits, lateCheckMs } from './limits.ts';
import { addressText, type ListenAddress, listenError } from './listen-address.ts';
import { createServer } from './node-http.ts';
import { answerText } from './reply.ts';
import { makeRequestIds } from './request-ids.ts';
import { makeRouter, type Route } from './router.ts';
import {
  type CertificateFiles,
  followCertificate,
  loadCertificate,
  secureContext,
  validityWarning,
} from './tls.ts';

export type ListenerSettings = {
  readonly routes: readonly Route[];
  /** HTTPS natively, following these files as they change. */
  readonly tls?: CertificateFiles & { readonly checkMs?: number };
  /** CIDR blocks of the TLS proxies in front. When there are any, nobody else is served. */
  readonly trustedProxies?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  /** What refusals leave behind; left out: a line in the log under a plain id. */
  readonly refusing?: Refusing;
  readonly log: Log;
  readonly clock: Clock;
  readonly randomness: Randomness;
};

export type Listening = ListenAddress & { readonly origin: string };

export type Listener = {
  /** Begins to accept. Rejects with an error that names the address and what to do; `option` is what chooses it. */
  readonly listen: (at: ListenAddress & { readonly option: string }) => Promise<Listening>;
  /** Accepts nothing more, answers what is under way, and resolves when the last connection has ended. */
  readonly close: () => Promise<void>;
  /** Requests being decided at this moment. */
  readonly inFlight: () => number;
  /** Looks at the certificate files now rather than at the next interval. */
  readonly reloadCertificate: () => Promise<void>;
};

/** Builds a listener that does not listen yet. Rejects when the certificate cannot be used. */
export async function buildListener(settings: ListenerSettings): Promise<Listener> {
  const { log, clock, randomness, routes, trustedProxies = [] } = settings;
  const limits: HttpLimits = { ...HTTP_LIMITS, ...settings.limits };
  const { server, certificate } = await makeServer(settings, limits);
  const { refusing = newRefusing({ key: () => undefined, clock, log }) } = settings;
  const nextId = makeRequestIds(randomness);
  const connections = watchConnections({
    server,
    isTls: certificate !== undefined,
    limits,
    text: (refusal, peer) => {
      const at = { requestId: nextId(), address: peerAddress(peer) };
      const answer = refusing.refuse(refusal, at);
      return answerText(answer, { ...at, nowMs: clock.wallMs() });
    },
  });
  const callerOf = makeAddresses(trustedProxies);
  const answering = makeAnswering({ connections, limits, refusing, callerOf });
  const explain = makeExplain(answering, log, clock);
  const flow = makeFlow({ limits, callerOf, answering, explain, clock });
  const route = makeRouter({ routes, nextId, connections, answering, explain, flow });
  server.on('request', route);
  // The flow says 100 or refuses; an expectation that nobody knows may be ignored (RFC 9110 §10.1.1).
  server.on('checkContinue', route);
  server.on('checkExpectation', route);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    certificate?.stop();
    const stop = connections.drain((remaining) => {
      log.warn({ remaining, drainMs: limits.drainMsMax }, 'connections that did not end were cut');
    });
    // The one error that can be is that it never listened.
    await new Promise<void>((resolve) => server.close(() => resolve()));
    stop();
  };
  return {
    listen: async ({ host, port, option }) => {
      try {
        await bind(server, { host, port, backlog: limits.backlog });
      } catch (cause) {
        throw listenError(cause, { host, port, option });
      }
      // Without a listener, one failed accept (too many open files) would end the process.
      server.on('error', (error) => log.error({ error: describeError(error) }, 'accepting failed'));
      const at = { host, port: (server.address() as AddressInfo).port };
      return {
        ...at,
        origin: `${certificate === undefined ? 'http' : 'https'}://${addressText(at)}`,
      };
    },
    close: () => {
      closing ??= close();
      return closing;
    },
    inFlight: flow.inFlight,
    reloadCertificate: async () => certificate?.reload(),
  };
}

async function bind(
  server: Server,
  at: ListenAddress & { readonly backlog: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function makeServer(settings: ListenerSettings, limits: HttpLimits) {
  const { tls: files, log, clock } = settings;
  const options = serverOptions(limits);
  if (files === undefined) {
    return { server: bounded(createServer(options), limits), certificate: undefined };
  }
  const current = await loadCertificate(files);
  const warning = validityWarning(current, clock.wallMs());
  if (warning !== undefined) log.warn({}, warning);
  const server: TlsServer = createTlsServer({
    ...options,
    ...secureContext(current),
    handshakeTimeout: limits.arrivalMsMax,
  });
  const { checkMs } = files;
  const certificate = followCertificate({
    server,
    files,
    current,
    log,
    clock,
    ...(checkMs === undefined ? {} : { checkMs }),
  });
  return { server: bounded(server, limits), certificate };
}

function serverOptions(limits: HttpLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    requestTimeout: limits.arrivalMsMax,
    headersTimeout: limits.arrivalMsMax,
    connectionsCheckingInterval: lateCheckMs(limits),
    keepAliveTimeout: limits.keepAliveMs,
    // Node would answer a missing Host without a body and without our headers; the flow does it instead.
    requireHostHeader: false,
    insecureHTTPParser: false,
  };
}

function bounded(server: Server, limits: HttpLimits): Server {
  server.maxConnections = limits.connectionsMax;
  // By default Node drops the lines after some count, and a repeated Host among them would go unseen; bytes bound them.
  server.maxHeadersCount = 0;
  return server;
}
