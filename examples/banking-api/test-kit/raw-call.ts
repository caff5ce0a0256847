/** One request written byte by byte, as no client library would: for what a hostile caller sends. */

import { connect } from 'node:net';

export type Answer = {
  readonly status: number;
  /** Names in lower case; several lines of a name joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const ANSWER_MS_MAX = 15_000;
/** For those who wait for more of what was no request. */
const SILENCE_MS_MAX = 1_500;

/** Sends the lines of a head and a body, and reads the answer until the other end closes. */
export function rawCall(port: number, lines: readonly string[], body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      const head = ['Host: api.bank.example', ...lines.slice(1), 'Connection: close'];
      const own = lines.some((line) => /^connection:/i.test(line)) ? head.slice(0, -1) : head;
      socket.write(`${[lines[0], ...own].join('\r\n')}\r\n\r\n${body}`);
    });
    socket.setTimeout(ANSWER_MS_MAX, () =>
      socket.destroy(new Error(`no answer to ${lines[0]}, but ${text.slice(0, 200)}`)),
    );
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (isWhole(text)) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(read(text)));
  });
}

/** For answers after which the connection stays open: told by their length, or without a body. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  if (/^HTTP\/1\.1 101/.test(text)) return true;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
  return length !== undefined && text.length - end - 4 >= Number(length);
}

function read(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: text.slice(end + 4) };
}

/** Sends bytes as they are, and reads whatever comes back until the other end closes or falls silent; a reset is an end like any other. */
export function rawText(port: number, sent: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(sent, 'latin1'));
    socket.setTimeout(SILENCE_MS_MAX, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(text));
  });
}
