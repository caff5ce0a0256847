/** The limit that everything is compared with: `node:http` that reads a form and answers a constant. It knows no token. */

import { createServer } from 'node:http';
import { parse } from 'node:querystring';
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
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    // Read like any form, and then not looked at: whatever is made of the parameters counts as the endpoint's own work.
    parse(Buffer.concat(chunks).toString());
    response.writeHead(200, headers);
    response.end(answer);
  });
}).listen(Number(values.port), '127.0.0.1');
