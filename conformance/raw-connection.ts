/** A connection that carries bytes as they are given: what no HTTP library would send is what matters here. */

import { connect } from 'node:net';
import { assertAnswerRules } from './answer-rules.ts';
import { type Reply, replyOf } from './reply.ts';

/** A server that neither answers nor ends the connection has failed the test. */
const SILENCE_MS_MAX = 15_000;

export type RawConnection = {
  readonly send: (text: string) => void;
  /** Resolves with all whole answers once the server has ended the connection. */
  readonly closed: Promise<readonly Reply[]>;
  /** Resolves when so many answers have come whole. */
  readonly answers: (count: number) => Promise<readonly Reply[]>;
  readonly destroy: () => void;
};

/** Opens a connection to the port, from that loopback address. */
export function rawConnection(port: number, from = '127.0.0.1'): RawConnection {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  let received = '';
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of waiting) each();
  };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    look();
  });
  socket.setTimeout(SILENCE_MS_MAX, () => socket.destroy());
  // A reset is an end like any other: what came before it counts.
  socket.on('error', () => socket.destroy());
  const closed = new Promise<readonly Reply[]>((resolve) => {
    socket.on('close', () => {
      resolve(repliesIn(received));
      look();
    });
  });
  return {
    send: (text) => void socket.write(text, 'latin1'),
    closed,
    destroy: () => void socket.destroy(),
    answers: (count) =>
      new Promise((resolve, reject) => {
        const each = (): void => {
          const replies = repliesIn(received);
          if (replies.length < count && !socket.destroyed) return;
          waiting.delete(each);
          if (replies.length >= count) resolve(replies);
          else reject(new Error(`the connection ended after: ${received}`));
        };
        waiting.add(each);
        each();
      }),
  };
}

/** Sends the text on a connection of its own and waits until the server ends it. */
export function rawExchange(port: number, text: string): Promise<readonly Reply[]> {
  const connection = rawConnection(port);
  connection.send(text);
  return connection.closed;
}

/** The text of a request: its first line without the version, its header lines, its body. */
export function rawRequest(start: string, lines: readonly string[], body = ''): string {
  return `${start} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}

function repliesIn(received: string): readonly Reply[] {
  const replies: Reply[] = [];
  let rest = received;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) return replies;
    const [statusLine = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const raw = lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const status = Number(statusLine.split(' ')[1]);
    const length = Number(replyOf(status, raw, '').headers['content-length'] ?? 0);
    const body = rest.slice(headEnd + 4, headEnd + 4 + length);
    if (body.length < length) return replies;
    rest = rest.slice(headEnd + 4 + length);
    const reply = replyOf(status, raw, body);
    if (status >= 200) assertAnswerRules(reply, { isHead: false });
    replies.push(reply);
  }
}
