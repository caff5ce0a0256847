/** Asks `/verify` as a gateway does, header line by header line, and holds every answer to RFC 6750 §3. Knows no gateway. */

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { assertHeaderRules } from './answer-rules.ts';
import type { Authority, Environment } from './harness.ts';
import { type Reply, replyOf } from './reply.ts';

export type Asked = {
  readonly environment?: Environment;
  /** With its question mark. */
  readonly query?: string;
  readonly method?: string;
  /** Names and values in turn, `Host` among them if it is not to be the authority's own. */
  readonly lines?: readonly string[];
  readonly body?: string;
  /** The target as it stands on the wire, where it is not the path. */
  readonly target?: string;
  /** Address to send from, so that failures are counted apart. */
  readonly from?: string | undefined;
};

const ANSWER_MS_MAX = 15_000;

/** What the authority answers to a gateway about a call with these header lines. */
export async function verify(authority: Authority, asked: Asked = {}): Promise<Reply> {
  const reply = await exchange(authority, asked);
  assertHeaderRules(reply);
  assertChallenge(reply);
  return reply;
}

/** The same about a call that carries this token. */
export function verifyToken(
  authority: Authority,
  token: string,
  asked: Asked = {},
): Promise<Reply> {
  const lines = ['Authorization', `Bearer ${token}`, ...(asked.lines ?? [])];
  return verify(authority, { ...asked, lines });
}

function exchange(authority: Authority, asked: Asked): Promise<Reply> {
  const { environment, query = '', method = 'GET', lines = [], body = '', from } = asked;
  const url = new URL(`${authority.issuer(environment)}/verify`);
  const own = lines.some((line, at) => at % 2 === 0 && line.toLowerCase() === 'host')
    ? []
    : ['Host', url.host];
  const length = body === '' ? [] : ['Content-Length', String(Buffer.byteLength(body))];
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: url.hostname,
        port: url.port,
        method,
        path: asked.target ?? `${url.pathname}${query}`,
        headers: [...own, ...length, ...lines],
        timeout: ANSWER_MS_MAX,
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const { statusCode = 0, rawHeaders } = response;
          resolve(replyOf(statusCode, rawHeaders, Buffer.concat(chunks).toString()));
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer from /verify')));
    outgoing.end(body);
  });
}

/** `Bearer`, then attributes: each once, its value quoted and in the characters that RFC 6750 §3 allows it. */
const ATTRIBUTES: Readonly<Record<string, RegExp>> = {
  realm: /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
  scope: /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/,
  error: /^(invalid_request|invalid_token|insufficient_scope)$/,
  error_description: /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
  error_uri: /^[\x21\x23-\x5b\x5d-\x7e]+$/,
};

/** The attributes of the answer's challenge, or undefined when it has none. */
export function challengeOf({ headers }: Reply): Readonly<Record<string, string>> | undefined {
  const challenge = headers['www-authenticate'];
  if (challenge === undefined) return undefined;
  assert.match(challenge, /^Bearer (\w+="[^"]*")(, \w+="[^"]*")*$/, 'B-14: one challenge');
  const pairs = [...challenge.matchAll(/(\w+)="([^"]*)"/g)];
  const attributes = Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
  assert.equal(Object.keys(attributes).length, pairs.length, `B-14: twice: ${challenge}`);
  for (const [name, value] of Object.entries(attributes)) {
    const allowed = ATTRIBUTES[name];
    assert.ok(allowed !== undefined, `B-14: an attribute that RFC 6750 has not: ${challenge}`);
    assert.match(value, allowed, `B-15: ${challenge}`);
  }
  return attributes;
}

function assertChallenge(reply: Reply): void {
  const challenge = challengeOf(reply);
  if (reply.status === 401) assert.notEqual(challenge, undefined, 'RFC 9110 §15.5.2');
  if (reply.status === 200) assert.equal(challenge, undefined);
}
