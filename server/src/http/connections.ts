/**
 * The connections of one listener: which are busy, which end with their next answer, and what a peer is told whose bytes
 * are no request. Knows no route.
 */

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Refusal, refuse } from '@countersign/protocol';
import type { HttpLimits } from './limits.ts';

export type Connection = {
  /** Requests that have begun and are not answered; more than one when a caller pipelines. */
  unanswered: number;
  latest: IncomingMessage | undefined;
  latestIsSettled: boolean;
  /** When it was last told that there is no room, or is heard again if it is not read for a while, by the monotonic clock. */
  toldToWaitMs: number;
  /** Bytes of answers that the peer had not taken when last looked at. */
  unreadBytes: number;
  /** What followed the latest request was no request: nothing may follow the next answer. */
  endsWithAnswer: boolean;
  /** Its last answer has been given: whatever else it sends is not looked at. */
  isOver: boolean;
};

export type Connections = {
  /**
   * A request has arrived, as far as its head; whoever begins it sees to it that it is settled once. Undefined when its
   * connection is over: what stands behind a last answer may have been smuggled, and nobody would read its own.
   */
  readonly begin: (request: IncomingMessage) => Connection | undefined;
  /** It was answered, or nobody is left to answer. */
  readonly settle: (connection: Connection, request: IncomingMessage) => void;
  /** The answer just given was the connection's last. */
  readonly end: (connection: Connection) => void;
  /** Whether the answer to this request must say that its connection ends. */
  readonly isLast: (connection: Connection, request: IncomingMessage) => boolean;
  /** Ends idle connections now, every other with its answer, and what remains after `drainMsMax`. Returns the stop. */
  readonly drain: (cut: (remaining: number) => void) => () => void;
};

type Watched = {
  readonly server: Server;
  readonly isTls: boolean;
  readonly limits: HttpLimits;
  /** What a refused peer is told, as it stands on the wire: no response object exists. */
  readonly text: (refusal: Refusal, peer: string) => string;
};

/** Watches the connections of a server; to be called before it listens. */
export function watchConnections({ server, isTls, limits, text }: Watched): Connections {
  const connections = new Map<Duplex, Connection>();
  // Below TLS: a handshake that never ends has a socket, but no connection yet.
  const sockets = new Set<Socket>();
  let draining = false;

  server.on('connection', (socket: Socket) => {
    if (draining) socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    // A handshake that began before the drain and ended in it.
    if (draining) socket.destroy();
    connections.set(socket, newConnection());
    socket.once('close', () => connections.delete(socket));
  });
  // Node's own socket timeout would do this too, for a new timer at every request.
  const sweep = setInterval(() => cutUnread(connections), limits.unreadMsMax);
  sweep.unref();
  const tell = (socket: Duplex, refusal: Refusal): void => {
    const told = text(refusal, (socket as Socket).remoteAddress ?? '');
    sayLast(socket, {
      text: told,
      lingerMs: refusal.reason === 'timeout' ? 0 : limits.lingerMsMax,
    });
  };
  // CONNECT asks for a tunnel; no path of ours is one.
  server.on('connect', (_request: IncomingMessage, socket: Duplex) =>
    tell(socket, refuse('method-not-allowed', { allow: 'GET, HEAD, POST' })),
  );
  server.on('clientError', (error: Error, socket: Duplex) => {
    refuseBytes(error, { socket, connection: connections.get(socket), tell });
  });

  return {
    // The fallback is a socket that closed while its request was on the way here.
    begin: (request) => begin(connections.get(request.socket) ?? newConnection(), request),
    settle,
    isLast: (connection, request) =>
      (draining || connection.endsWithAnswer) && isLastOf(connection, request),
    end: (connection) => {
      connection.isOver = true;
    },
    drain: (cut) => {
      draining = true;
      clearInterval(sweep);
      for (const [socket, { unanswered }] of connections) {
        // Not destroy(): the last answer may still be on its way out.
        if (unanswered === 0) (socket as Socket).destroySoon();
      }
      const timer = setTimeout(() => {
        cut(sockets.size);
        for (const socket of sockets) socket.destroy();
      }, limits.drainMsMax);
      return () => clearTimeout(timer);
    },
  };
}

function newConnection(): Connection {
  return {
    unanswered: 0,
    latest: undefined,
    latestIsSettled: true,
    toldToWaitMs: Number.NEGATIVE_INFINITY,
    unreadBytes: 0,
    endsWithAnswer: false,
    isOver: false,
  };
}

/** A peer that asks and does not read would hold its answers in memory for as long as it likes. */
function cutUnread(connections: ReadonlyMap<Duplex, Connection>): void {
  for (const [socket, connection] of connections) {
    const unreadBytes = socket.writableLength;
    if (unreadBytes > 0 && unreadBytes === connection.unreadBytes) socket.destroy();
    connection.unreadBytes = unreadBytes;
  }
}

function begin(connection: Connection, request: IncomingMessage): Connection | undefined {
  if (connection.isOver) return undefined;
  connection.unanswered += 1;
  connection.latest = request;
  connection.latestIsSettled = false;
  return connection;
}

function settle(connection: Connection, request: IncomingMessage): void {
  connection.unanswered -= 1;
  if (connection.latest === request) connection.latestIsSettled = true;
}

/**
 * Of several pipelined requests the latest: behind an answer that says `close`, no other would be read, and what was
 * decided for it would be lost.
 */
function isLastOf(connection: Connection, request: IncomingMessage): boolean {
  if (connection.isOver) return false;
  if (connection.latest === request) return true;
  return connection.latestIsSettled && connection.unanswered === 1;
}

/** Bytes that Node's parser refused, or that did not come in time. */
function refuseBytes(
  error: Error,
  at: {
    readonly socket: Duplex;
    readonly connection: Connection | undefined;
    readonly tell: (socket: Duplex, refusal: Refusal) => void;
  },
): void {
  const { socket, connection } = at;
  if (connection === undefined || !socket.writable || codeOf(error) === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (connection.isOver) return;
  switch (whatToDo(connection)) {
    case 'wait':
      connection.endsWithAnswer = true;
      if (connection.latest?.complete === false) settle(connection, connection.latest);
      return;
    case 'cut':
      (socket as Socket).destroySoon();
      return;
    case 'tell':
      connection.isOver = true;
      at.tell(socket, refusalOf(error));
  }
}

/**
 * Says a last thing and closes: not so fast that unread bytes would reset the connection under it, except when there are
 * none because the peer is late, and then at once, or its request might still become whole after it was told so.
 */
function sayLast(
  socket: Duplex,
  { text, lingerMs }: { readonly text: string; readonly lingerMs: number },
): void {
  socket.on('error', () => socket.destroy());
  socket.end(text, () => {
    if (lingerMs === 0) socket.destroy();
  });
  if (lingerMs === 0) return;
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

/**
 * An error text written while an earlier request waits would be read as the answer to that request: a caller would take a
 * token that was issued for one that was refused. So the earlier ones are answered first, and nothing after them.
 */
function whatToDo({ unanswered, latest }: Connection): 'tell' | 'wait' | 'cut' {
  const isArriving = latest !== undefined && !latest.complete;
  if (unanswered > (isArriving ? 1 : 0)) return 'wait';
  // Answered before it had arrived: it has had its answer.
  return isArriving && unanswered === 0 ? 'cut' : 'tell';
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

function refusalOf(error: Error): Refusal {
  switch (codeOf(error)) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse('timeout');
    case 'HPE_HEADER_OVERFLOW':
      return refuse('headers-too-large');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refuse('too-large');
    default:
      return refuse('malformed-message');
  }
}
