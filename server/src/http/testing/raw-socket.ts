/** A peer for tests that speaks bytes, not HTTP: what a client library would never send is what matters here. */

import { connect, type Socket } from 'node:net';

export type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type RawPeer = {
  readonly send: (text: string) => void;
  /** Everything received so far. */
  readonly received: () => string;
  /** Resolves with all that came when the server ends the connection. */
  readonly closed: Promise<string>;
  /** Resolves when so many answers have come whole. */
  readonly answers: (count: number) => Promise<readonly RawAnswer[]>;
  readonly end: () => void;
  readonly destroy: () => void;
};

/** Opens a connection. */
export function rawPeer(port: number, socket: Socket = connect(port, '127.0.0.1')): RawPeer {
  let received = '';
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    wake();
  });
  socket.on('error', wake);
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => {
      resolve(received);
      wake();
    });
  });
  return {
    send: (text) => void socket.write(text, 'latin1'),
    received: () => received,
    closed,
    answers: (count) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = parseAnswers(received);
          if (found.length < count && !socket.closed) return;
          waiting.delete(look);
          if (found.length >= count) resolve(found);
          else reject(new Error(`the connection ended after: ${received}`));
        };
        waiting.add(look);
        look();
      }),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

/** Sends the text on a connection of its own and gives back all that comes until the server ends it. */
export async function rawExchange(port: number, text: string): Promise<readonly RawAnswer[]> {
  const peer = rawPeer(port);
  peer.send(text);
  return parseAnswers(await peer.closed);
}

/** The whole answers at the beginning of a byte stream; interim ones (1xx) are answers too. */
export function parseAnswers(text: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) return answers;
    const [statusLine = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const headers = Object.fromEntries(lines.map(headerOf));
    const length = Number(headers['content-length'] ?? 0);
    const body = rest.slice(headEnd + 4, headEnd + 4 + length);
    if (body.length < length) return answers;
    answers.push({ status: Number(statusLine.split(' ')[1]), headers, body });
    rest = rest.slice(headEnd + 4 + length);
  }
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

/** A POST of a form, as a client would send it, with these lines in addition. */
export function post(path: string, body: string, lines: readonly string[] = []): string {
  return request(
    `POST ${path}`,
    [
      'Host: auth.bank.example',
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
      ...lines,
    ],
    body,
  );
}

/** A request from its first line (without the version), its header lines and its body. */
export function request(start: string, lines: readonly string[], body = ''): string {
  return `${start} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}
