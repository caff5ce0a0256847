/** Stands where the authority should, and answers `/verify` with the bytes that a test has it say: what a gateway makes of an outage. */

import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';

/** What it does with the n-th question (from 1) of a connection, whose head it is given. */
export type Script = (socket: Socket, question: number, head: string) => void;

export type ScriptedAuthority = {
  readonly address: string;
  /** First lines of what it was asked, oldest first. */
  readonly asked: readonly string[];
  readonly play: (script: Script) => void;
  readonly stop: () => Promise<void>;
};

export async function startScriptedAuthority(): Promise<ScriptedAuthority> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  let script: Script = (socket) => socket.destroy();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let received = '';
    let questions = 0;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('end', () => socket.end());
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      while (received.includes('\r\n\r\n')) {
        const head = received.slice(0, received.indexOf('\r\n\r\n'));
        received = received.slice(head.length + 4);
        asked.push(head.slice(0, head.indexOf('\r\n')));
        questions += 1;
        script(socket, questions, head);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    play: (next) => {
      script = next;
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The bytes of an answer. */
export function answerOf(status: string, lines: readonly string[] = [], body = ''): string {
  const head = [`HTTP/1.1 ${status}`, ...lines, `Content-Length: ${body.length}`];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Whose token it is. */
export const NAMED = answerOf('200 OK', [
  'X-Client-Id: client_test_named',
  'X-Program-Id: program_x',
]);

export const NO_TOKEN = answerOf('401 Unauthorized', ['WWW-Authenticate: Bearer realm="x"']);

export const NO_SCOPE = answerOf('403 Forbidden', [
  'WWW-Authenticate: Bearer realm="x", error="insufficient_scope"',
]);

/** The same answer to every question. */
export function says(text: string): Script {
  return (socket) => void socket.write(text, 'latin1');
}
