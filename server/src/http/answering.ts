/** How an exchange ends: with an answer, or with a refusal before its body was read. Knows no reason for either. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from '../endpoints/exchange.ts';
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
};

export type Answering = {
  /** The answer to a request that has arrived whole. */
  readonly answer: (exchange: Exchange, answer: Answer) => void;
  /** An answer that does not wait for the body. The connection serves on when that body is small. */
  readonly refuse: (exchange: Exchange, answer: Answer) => void;
  /** The same where the connection must end: its framing is doubtful, or more is coming than will be read. */
  readonly refuseAndClose: (exchange: Exchange, answer: Answer) => void;
};

/** The ways to end an exchange on the given connections. */
export function makeAnswering(connections: Connections, limits: HttpLimits): Answering {
  const answer: Answering['answer'] = ({ id, request, response, connection }, given) => {
    const isLast = connections.isLast(connection, request);
    writeAnswer(response, given, { requestId: id, lastOfConnection: isLast });
    connections.settle(connection, request);
    if (isLast) connections.end(connection);
  };

  const refuseAndClose: Answering['refuseAndClose'] = (
    { id, request, response, connection },
    given,
  ) => {
    const isArriving = !request.complete && hasBody(readHead(request.rawHeaders));
    // The whole answer goes out now; only the end of the connection waits for a sender that still talks.
    writeAnswer(response, given, {
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
    refuseAndClose,
    refuse: (exchange, given) => {
      // A small body is left to Node, which reads and forgets it.
      const isCheap = isSmall(readHead(exchange.request.rawHeaders), limits.bodyBytesMax);
      if (isCheap) answer(exchange, given);
      else refuseAndClose(exchange, given);
    },
  };
}
