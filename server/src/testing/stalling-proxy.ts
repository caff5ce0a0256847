/** A way to a TCP server that can be held up, as by a partition or a server that has stopped, and let go again. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type StallingProxy = {
  readonly port: number;
  /** From now on nothing passes, in either direction; nothing is lost. */
  stall(): void;
  resume(): void;
  /** Breaks every connection there is. */
  cut(): void;
  close(): Promise<void>;
};

export async function startStallingProxy(targetPort: number): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  let isStalled = false;
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.on('data', (bytes) => other.write(bytes));
    if (isStalled) socket.pause();
  };
  const server = createServer((inbound) => {
    const outbound = connect(targetPort, '127.0.0.1');
    keep(inbound, outbound);
    keep(outbound, inbound);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const each = (act: (socket: Socket) => void): void => {
    for (const socket of [...sockets]) act(socket);
  };
  return {
    port: (server.address() as { port: number }).port,
    stall: () => {
      isStalled = true;
      each((socket) => socket.pause());
    },
    resume: () => {
      isStalled = false;
      each((socket) => socket.resume());
    },
    cut: () => each((socket) => socket.destroy()),
    close: async () => {
      each((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
