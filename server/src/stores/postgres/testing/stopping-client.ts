/** Lets a client of PostgreSQL come so far and no further: after a number of answers nothing that it sends arrives any more. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const READY_FOR_QUERY = 'Z'.charCodeAt(0);

export type StoppedClient = {
  readonly port: number;
  /** Resolves when the client has had its last answer. */
  readonly stopped: Promise<void>;
  close(): void;
};

/** One connection to the server at `targetPort`, stopped once it has had `answers` of them, the one to its greeting not counted. */
export async function stopAfter(answers: number, targetPort: number): Promise<StoppedClient> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const database = connect(targetPort, '127.0.0.1');
    sockets.push(client, database);
    for (const socket of [client, database]) socket.on('error', () => {});
    const isLast = countAnswers(answers + 1);
    let isStopped = false;
    database.on('data', (bytes: Buffer) => {
      // Stopped before the answer is passed on: the client cannot be quicker.
      if (!isStopped && isLast(bytes)) {
        isStopped = true;
        stop();
      }
      client.write(bytes);
    });
    client.on('data', (bytes) => {
      if (!isStopped) database.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    stopped,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Tells when the last of `count` exchanges has ended. A message is its type, a length of four bytes that counts itself, the rest. */
function countAnswers(count: number): (bytes: Buffer) => boolean {
  let seen = 0;
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
      if (rest[0] === READY_FOR_QUERY) seen += 1;
      rest = rest.subarray(1 + rest.readUInt32BE(1));
    }
    return seen >= count;
  };
}
