/** How an exchange ends: with an answer, or with a refusal, maybe before its body was read. Knows no reason for either. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '@countersign/protocol';
import type { Answer } from '../endpoints/exchange.ts';
import type { Asked } from '../endpoints/refused.ts';
import type { Refusing } from '../endpoints/refusing.ts';
import { type Addresses, peerAddress } from './addresses.ts';
import { linger } from './body.ts';
import type { Connection, Connections } from './connections.ts';
import { hasBody, isSmall, readHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import { writeAnswer } from './reply.ts';

/** One request on its way. */
export type Exchange = {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  /** What is asked, once a route was found that says so. */
  asked: Asked | undefined;
};

export type Answering = {
  /** The answer to a request that has arrived whole. */
  readonly answer: (exchange: Exchange, answer: Answer) => void;
  /** What a refused request is answered. */
  readonly refusalAnswer: (
    exchange: Exchange,
    refusal: Refusal,
    more?: { readonly isLoggedElsewhere?: true },
  ) => Answer;
  /** A refusal that does not wait for the body. The connection serves on when that body is small. */
  readonly refuse: (exchange: Exchange, refusal: Refusal) => void;
  /** The same where the connection must end: its framing is doubtful, or more is coming than will be read. */
  readonly refuseAndClose: (exchange: Exchange, answer: Answer | Refusal) => void;
};

/** The ways to end an exchange on the given connections. */
export function makeAnswering(parts: {
  readonly connections: Connections;
  readonly limits: HttpLimits;
  readonly refusing: Refusing;
  readonly callerOf: Addresses;
}): Answering {
  const { connections, limits, refusing, callerOf } = parts;
  const answer: Answering['answer'] = ({ id, request, response, connection }, given) => {
    const isLast = connections.isLast(connection, request);
    writeAnswer(response, given, { requestId: id, lastOfConnection: isLast });
    connections.settle(connection, request);
    if (isLast) connections.end(connection);
  };

  const refusalAnswer: Answering['refusalAnswer'] = ({ id, request, asked }, refusal, more) => {
    const peer = request.socket.remoteAddress;
    const caller = callerOf(peer, readHead(request.rawHeaders));
    const address = 'address' in caller ? caller.address : peerAddress(peer);
    return refusing.refuse(refusal, { ...asked, requestId: id, address, ...more });
  };

  const refuseAndClose: Answering['refuseAndClose'] = (exchange, given) => {
    const { id, request, response, connection } = exchange;
    const told = 'reason' in given ? refusalAnswer(exchange, given) : given;
    const isArriving = !request.complete && hasBody(readHead(request.rawHeaders));
    // The whole answer goes out now; only the end of the connection waits for a sender that still talks.
    writeAnswer(response, told, {
      requestId: id,
      lastOfConnection: true,
      isHeldOpen: isArriving,
    });
    if (isArriving) linger(request, limits, () => response.end());
    connections.settle(connection, request);
    connections.end(connection);
  };

  return {
    answer,
    refusalAnswer,
    refuseAndClose,
    refuse: (exchange, refusal) => {
      // A small body is left to Node, which reads and forgets it.
      const isCheap = isSmall(readHead(exchange.request.rawHeaders), limits.bodyBytesMax);
      if (isCheap) answer(exchange, refusalAnswer(exchange, refusal));
      else refuseAndClose(exchange, refusal);
    },
  };
}
