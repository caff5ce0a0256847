/** The limit that everything is compared with: `node:http` that reads a form and answers a constant. It knows no token. */

import { createServer } from 'node:http';
import { parse } from 'node:querystring';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'answer-bytes': { type: 'string' },
    'get-answer-bytes': { type: 'string' },
  },
});

/** Printable, and as long as a real answer, so that both write as many bytes. */
function constant(bytes: number): { text: string; headers: Record<string, string> } {
  const text = JSON.stringify({ constant: '' }).padEnd(bytes, ' ').slice(0, bytes);
  return {
    text,
    headers: { 'Content-Type': 'application/json', 'Content-Length': String(bytes) },
  };
}
const toForm = constant(Number(values['answer-bytes']));
const toGet = constant(Number(values['get-answer-bytes']));

createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, toGet.headers);
    response.end(toGet.text);
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    // Read like any form, and then not looked at: whatever is made of the parameters counts as the endpoint's own work.
    parse(Buffer.concat(chunks).toString());
    response.writeHead(200, toForm.headers);
    response.end(toForm.text);
  });
}).listen(Number(values.port), '127.0.0.1');
