/**
 * From a parsed head to a written answer: every branch of one request, in order. Knows no OAuth and no store.
 *
 *   framing or addressing malformed    400  closes
 *   peer not a declared proxy          403  (probes are exempt from this and the next two)
 *   proxy says plain HTTP              400
 *   proxy names no caller              400
 *   Content-Encoding                   415
 *   too many with long bodies          503  Retry-After
 *   body too large, said or found      413  closes
 *   too many requests being decided    503  Retry-After (probes are exempt)
 *   too many requests waiting          503  Retry-After (probes are exempt)
 *   otherwise                          what the endpoint answers
 *   the endpoint threw                 503 when its store is out, else 500
 *
 * Not here: 404 and 405 (the router), 408 and bytes that are no request (connections.ts).
 */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Refusal, refuse } from '@countersign/protocol';
import type { Answer, Incoming } from '../endpoints/exchange.ts';
import type { Asked } from '../endpoints/refused.ts';
import type { Clock } from '../ports/clock.ts';
import { type Addresses, type Caller, peerAddress } from './addresses.ts';
import type { Answering, Exchange } from './answering.ts';
import { NO_BODY, readBody } from './body.ts';
import type { Explain } from './failures.ts';
import { type Head, hasBody, isMalformed, isSmall, readHead } from './head.ts';
import type { HttpLimits } from './limits.ts';
import { type Begin, newTurns } from './turns.ts';

export type Handler = (incoming: Incoming) => Answer | Promise<Answer>;

/** What the router found for a request. */
export type Target = {
  /** As the route declares it: the only form of a URL that may stand in a log. */
  readonly path: string;
  readonly asked: Asked | undefined;
  readonly isProbe: boolean;
  readonly handle: Handler;
  /** Where a body may be longer than elsewhere. */
  readonly bodyBytesMax?: number | undefined;
  /** Values of the names in braces. */
  readonly params?: Readonly<Record<string, string>>;
};

export type Flow = {
  readonly serve: (target: Target, exchange: Exchange) => void;
  readonly inFlight: () => number;
};

/** Builds the flow of one listener. */
export function makeFlow(settings: {
  readonly limits: HttpLimits;
  readonly callerOf: Addresses;
  readonly answering: Answering;
  readonly explain: Explain;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}): Flow {
  const { limits, answering, explain, callerOf, clock } = settings;
  const comeBackSeconds = limits.comeBackMs / 1_000;
  const overloaded = [comeBackSeconds, comeBackSeconds + 1].map((retryAfterSeconds) =>
    refuse('overloaded', { retryAfterSeconds }),
  );
  const turns = newTurns(limits, {
    nowMs: () => clock.monotonicMs(),
    restedMs: () => performance.eventLoopUtilization().idle,
  });
  let inFlight = 0;
  let longBodies = 0;
  let refused = 0;

  /** Takes a place among the requests whose bodies may be long, until it is over; false when there is none. */
  function holdsLongBody(request: IncomingMessage): boolean {
    if (longBodies >= limits.longBodiesMax) return false;
    longBodies += 1;
    request.once('close', () => {
      longBodies -= 1;
    });
    return true;
  }

  function serve(target: Target, exchange: Exchange): void {
    const { request, response } = exchange;
    const head = readHead(request.rawHeaders);
    if (isMalformed(head, request.httpVersion)) {
      answering.refuseAndClose(exchange, refuse('malformed-message'));
      return;
    }
    const caller = callerOf(request.socket.remoteAddress, head);
    const refusal = earlyRefusal(target, head, caller);
    if (refusal !== undefined) {
      answering.refuse(exchange, refusal);
      return;
    }
    const { bodyBytesMax = limits.bodyBytesMax } = target;
    if (bodyBytesMax > limits.bodyBytesMax && !holdsLongBody(request)) {
      answering.refuse(exchange, refuse('overloaded'));
      return;
    }
    if (head.transferEncoding === undefined && !isSmall(head, bodyBytesMax)) {
      answering.refuseAndClose(exchange, refuse('too-large'));
      return;
    }
    const arrived = (body: Uint8Array): void =>
      decideInTurn(target, exchange, incomingOf(exchange, { target, head, caller, body }));
    if (!hasBody(head)) {
      arrived(NO_BODY);
      return;
    }
    // RFC 9110 §10.1.1: only now is it certain that the body is wanted.
    if (head.expectsContinue && request.httpVersion !== '1.0') response.writeContinue();
    readBody(request, bodyBytesMax, {
      whole: arrived,
      tooLarge: () => answering.refuseAndClose(exchange, refuse('too-large')),
    });
  }

  /** Not all are told to wait equally long: who is told so together would come back together. */
  function refuseOverloaded(exchange: Exchange, { address, peer }: Incoming): void {
    refused += 1;
    const refusal = overloaded[refused % overloaded.length] as Refusal;
    answering.answer(exchange, answering.refusalAnswer(exchange, refusal));
    const { request, connection } = exchange;
    const nowMs = clock.monotonicMs();
    const isDeaf = nowMs - connection.toldToWaitMs < limits.comeBackMs;
    connection.toldToWaitMs = nowMs;
    // A declared proxy sends the requests of many callers over one connection.
    if (isDeaf && address === peerAddress(peer)) {
      const laterMs = limits.comeBackMs * (1.5 + (refused % MOMENTS) / MOMENTS);
      readLater(request.socket, laterMs);
      // What is heard then may have been sent at once: refused, it is as deaf as before.
      connection.toldToWaitMs += laterMs;
    }
  }

  function decideInTurn(target: Target, exchange: Exchange, incoming: Incoming): void {
    const begin: Begin = () => decide(target, exchange, incoming);
    if (target.isProbe) begin()?.();
    else if (!turns.take(begin)) refuseOverloaded(exchange, incoming);
  }

  function decide(target: Target, exchange: Exchange, incoming: Incoming): ReturnType<Begin> {
    if (inFlight >= limits.inFlightMax && !target.isProbe) {
      turns.refused();
      return () => refuseOverloaded(exchange, incoming);
    }
    let answer: Answer | Promise<Answer>;
    try {
      answer = target.handle(incoming);
    } catch (error) {
      answer = explain(error, exchange, target.path);
    }
    if (!(answer instanceof Promise)) {
      const known = answer;
      return () => tell(target, exchange, known);
    }
    inFlight += 1;
    const finish = (found: Answer): void => {
      inFlight -= 1;
      tell(target, exchange, found);
    };
    answer.then(finish, (error) => finish(explain(error, exchange, target.path)));
    return undefined;
  }

  function tell(target: Target, exchange: Exchange, answer: Answer): void {
    try {
      answering.answer(exchange, answer);
    } catch (error) {
      // The endpoint named a header that HTTP cannot carry. Nothing was written yet.
      answering.answer(exchange, explain(error, exchange, target.path));
    }
  }

  return { serve, inFlight: () => inFlight };
}

/** Over how many moments callers that are not read are spread when they are. */
const MOMENTS = 64;

/**
 * A caller that is told to come back and asks at once costs as much as one that is served. What it sends next stays with it and the
 * kernel for a while.
 */
function readLater(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms).unref();
}

const CALLER_REFUSALS = {
  'untrusted-peer': refuse('untrusted-peer'),
  'plain-http': refuse('plain-http'),
  'malformed-forwarding': refuse('malformed-forwarding'),
};

function earlyRefusal(target: Target, head: Head, caller: Caller): Refusal | undefined {
  // Orchestrators ask probes directly, past every proxy, and learn nothing that needs a caller.
  if ('refused' in caller && !target.isProbe) return CALLER_REFUSALS[caller.refused];
  const encoding = head.contentEncoding;
  // A packed body could unpack to any size, and none of ours needs packing.
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return refuse('unsupported-encoding');
  return undefined;
}

function incomingOf(
  { id, request }: Exchange,
  { target, head, caller, body }: { target: Target; head: Head; caller: Caller; body: Uint8Array },
): Incoming {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  return {
    requestId: id,
    address: 'address' in caller ? caller.address : '',
    peer: request.socket.remoteAddress ?? '',
    query: mark === -1 ? '' : url.slice(mark + 1),
    authorization: head.authorization,
    contentType: head.contentType,
    body,
    headers: request.rawHeaders,
    ...(target.params === undefined ? {} : { params: target.params }),
  };
}
