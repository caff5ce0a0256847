/** The limit that everything is compared with: `node:http` that reads a form and answers a constant. It knows no token. */

import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { port: { type: 'string' }, 'answer-bytes': { type: 'string' } },
});
/** Printable, and as long as a real answer, so that both write as many bytes. */
const answer = JSON.stringify({ constant: '' }).padEnd(Number(values['answer-bytes']), ' ');
const headers = {
  'Content-Type': 'application/json',
  'Content-Length': String(Buffer.byteLength(answer)),
};

createServer((request, response) => {
  // The bytes are collected and not even decoded: whatever a real endpoint does with them counts as its own.
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(200, headers);
    response.end(answer);
  });
}).listen(Number(values.port), '127.0.0.1');
