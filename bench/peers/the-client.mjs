/** The one client that every peer knows, where it listens, and how it reads a form. Made up for the bench: it opens nothing. */

import { createServer } from 'node:http';
import { parse } from 'node:querystring';

export const CLIENT_ID = 'bench';
export const CLIENT_SECRET = 'made-up-for-the-bench-and-known-to-everybody';
export const SCOPE = 'accounts:read';
export const LIFETIME_SECONDS = 3_600;

export const PORT = Number(process.argv[2]);
export const ORIGIN = `http://127.0.0.1:${PORT}`;

/**
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<Record<string, string>>}
 */
export const readForm = (request) =>
  new Promise((resolve) => {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () =>
      resolve(/** @type {any} */ ({ ...parse(Buffer.concat(chunks).toString()) })),
    );
  });

/**
 * @param {import('node:http').ServerResponse} response
 * @param {{ status?: number, headers?: Record<string, string>, body: unknown }} answer
 */
export const answer = (response, { status = 200, headers = {}, body }) => {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
  });
  response.end(text);
};

/**
 * Listens with what answers a request; an error is a 500, which the bench does not overlook.
 *
 * @param {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => Promise<void> | void} handle
 */
export const listen = (handle) =>
  createServer(async (request, response) => {
    try {
      await handle(request, response);
    } catch (error) {
      answer(response, { status: 500, body: { error: String(error) } });
    }
  }).listen(PORT, '127.0.0.1');
