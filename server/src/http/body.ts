/** Collects the bytes of one request, up to a bound. Knows nothing of what they mean. */

import type { IncomingMessage } from 'node:http';

export const NO_BODY: Uint8Array = new Uint8Array(0);

export type BodyEnd = {
  readonly whole: (body: Uint8Array) => void;
  readonly tooLarge: () => void;
};

/** Reads the body and calls one of the ends, once; neither when the sender goes away, as nobody is left to answer. */
export function readBody(request: IncomingMessage, bytesMax: number, end: BodyEnd): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let size = 0;
  let ended = false;

  request.on('data', (chunk: Buffer) => {
    if (ended) return;
    size += chunk.length;
    if (size > bytesMax) {
      ended = true;
      end.tooLarge();
    } else if (first === undefined) {
      first = chunk;
    } else {
      // A form nearly always arrives in one piece; the list exists only when it does not.
      rest ??= [];
      rest.push(chunk);
    }
  });
  request.on('end', () => {
    if (ended) return;
    ended = true;
    if (first === undefined) end.whole(NO_BODY);
    else end.whole(rest === undefined ? first : Buffer.concat([first, ...rest]));
  });
}

export type LingerLimits = { readonly lingerMsMax: number; readonly lingerBytesMax: number };

/**
 * Goes on reading, and forgetting, what a refused sender still sends, then calls `done`. Closing at once would reset the
 * connection under the answer, and the sender would never learn why it was refused (RFC 9112 §9.6).
 */
export function linger(request: IncomingMessage, limits: LingerLimits, done: () => void): void {
  let size = 0;
  let over = false;
  const stop = (): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    done();
  };
  const timer = setTimeout(stop, limits.lingerMsMax);
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.lingerBytesMax) stop();
  });
  request.on('end', stop);
  request.on('close', stop);
}
