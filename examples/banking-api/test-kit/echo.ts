/** An API that tells what reached it: the proof of what a gateway lets through. */

import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Arrived = {
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly headers: readonly string[];
  readonly body: string;
};

export type Echo = {
  readonly address: string;
  /** Everything that arrived, oldest first. */
  readonly arrived: readonly Arrived[];
  readonly stop: () => Promise<void>;
};

export async function startEcho(): Promise<Echo> {
  const arrived: Arrived[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    try {
      for await (const chunk of request) body += String(chunk);
    } catch {
      // The gateway gave it up half-way.
      return;
    }
    const { method = '', url = '', rawHeaders: headers } = request;
    arrived.push({ method, url, headers, body });
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ method, url, headers, body }));
  });
  server.on('upgrade', (request, socket) => {
    const { method = '', url = '', rawHeaders: headers } = request;
    arrived.push({ method, url, headers, body: '' });
    socket.end(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    );
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Those that were upgraded too, of which the server knows nothing any more.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Values of a header, whatever its case; several lines are several values. */
export function valuesOf({ headers }: Arrived, name: string): readonly string[] {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);
}
