/** Receives webhooks as a support desk's tool would: over HTTP, each verified by the library that Standard Webhooks publishes. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Json } from './harness.ts';

export type Notice = { readonly type: string; readonly data: Json };
export type Receiver = {
  readonly url: string;
  /** Begins to verify; what came before is refused, and comes again. */
  readonly trust: (secret: string) => void;
  readonly notices: readonly Notice[];
  /** All bodies that came, whether they were believed or not. */
  readonly bodies: readonly string[];
  readonly close: () => Promise<void>;
};

export async function startReceiver(): Promise<Receiver> {
  const notices: Notice[] = [];
  const bodies: string[] = [];
  let verifier: Webhook | undefined;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      bodies.push(body);
      try {
        if (verifier === undefined) throw new Error('nobody has told the secret');
        const headers = request.headers as Record<string, string>;
        notices.push(verifier.verify(body, headers) as Notice);
        response.writeHead(204).end();
      } catch {
        response.writeHead(401).end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    trust: (secret) => {
      verifier = new Webhook(secret);
    },
    notices,
    bodies,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
