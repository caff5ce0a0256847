/** A real HTTP server that receives webhooks, and answers as a test tells it to. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Heard = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
};
type Answer = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** It never answers. */
  readonly hangs?: true;
};

export type Receiver = {
  readonly url: string;
  readonly port: number;
  /** What was answered with 2xx. */
  readonly heard: readonly Heard[];
  /** Everything that came. */
  readonly attempts: readonly Heard[];
  close(): Promise<void>;
};

/** `port` 0: any free one. */
export async function startReceiver(
  answer: (heard: Heard, attempt: number) => Answer = () => ({ status: 204 }),
  port = 0,
): Promise<Receiver> {
  const [heard, attempts]: [Heard[], Heard[]] = [[], []];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const one = { headers: request.headers, body, path: request.url ?? '' };
      attempts.push(one);
      const { status, headers, hangs } = answer(one, attempts.length);
      if (hangs === true) return;
      if (status >= 200 && status < 300) heard.push(one);
      response.writeHead(status, headers).end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${at}/hook`,
    port: at,
    heard,
    attempts,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
