/** Sends requests as a partner's HTTP library would, and holds every answer to the rules that all answers share. */

import { Agent, request } from 'node:http';
import { assertAnswerRules } from './answer-rules.ts';
import { type Reply, replyOf } from './reply.ts';

export type Fields = string | Readonly<Record<string, string>>;

export type Sending = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Address to send from, so that failures are counted apart. */
  readonly from?: string | undefined;
};

export const FORM = 'application/x-www-form-urlencoded';
const ANSWER_MS_MAX = 15_000;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Sends one request and gives back the whole answer, after checking what must hold of every answer. */
export async function send(url: string, sending: Sending = {}): Promise<Reply> {
  const reply = await exchange(url, sending);
  assertAnswerRules(reply, { isHead: sending.method === 'HEAD' });
  return reply;
}

/** Posts a form: fields to be encoded, or a body as it is to stand on the wire. */
export function post(url: string, fields: Fields, sending: Sending = {}): Promise<Reply> {
  return send(url, {
    method: 'POST',
    ...sending,
    headers: { 'Content-Type': FORM, ...sending.headers },
    body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
  });
}

function exchange(url: string, sending: Sending): Promise<Reply> {
  const { method = 'GET', headers = {}, body, from } = sending;
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        agent,
        method,
        headers: { ...length, ...headers },
        timeout: ANSWER_MS_MAX,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve(
            replyOf(
              response.statusCode ?? 0,
              response.rawHeaders,
              Buffer.concat(chunks).toString(),
            ),
          ),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${url}`)));
    outgoing.end(body);
  });
}

let addresses = 1;

/**
 * A loopback address that nobody has sent from, as failures are counted by address; undefined where the system has only one
 * loopback address.
 */
export function freshAddress(): string | undefined {
  addresses += 1;
  return process.platform === 'linux'
    ? `127.${1 + (process.pid % 250)}.${addresses >> 8}.${addresses & 255}`
    : undefined;
}
