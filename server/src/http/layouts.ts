/** Has V8 learn what the objects of an exchange become, before a collection can make it forget half of it. Knows no endpoint. */

import { Socket } from 'node:net';
import { createServer } from './node-http.ts';

/** V8 watches the first seven objects of a constructor; the rest is for what it may watch tomorrow. */
const EXCHANGES = 16;
const REQUEST = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b';

/**
 * V8 leaves room in the first objects of a constructor, and gives those that follow as much as the first have needed. A collection in
 * between, at a moment when no request is there, drops what they were like but not the count: what follows gets too little room, and
 * becomes a dictionary, for as long as the process lives. A node that was asked three times and then waited could spend half as much
 * again on each request. So the first ones are ours, and are there together. They travel over no network: their sockets
 * have no other end, and end by themselves when they are answered. To be called before the process is asked anything.
 */
export function settleLayouts(): void {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, ['Content-Length', '2']);
      response.end('ok');
    });
  });
  for (let count = 0; count < EXCHANGES; count += 1) {
    const socket = new Socket();
    socket.on('error', () => {});
    server.emit('connection', socket);
    socket.push(REQUEST);
  }
}
