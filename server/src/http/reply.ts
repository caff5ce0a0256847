/** How an answer is written: the headers that every answer carries, in one write. Knows no reason and no route. */

import type { ServerResponse } from 'node:http';
import type { Answer } from '../endpoints/exchange.ts';
import type { Sink } from '../replica/subscriptions.ts';
import { STATUS_CODES } from './node-http.ts';

/**
 * One year. Sent on plain HTTP too: browsers ignore it there (RFC 6797 §8.1), and behind a TLS proxy this listener is
 * plain while the caller's connection is not.
 */
const HSTS = 'max-age=31536000';

export type Envelope = {
  readonly requestId: string;
  /** Says that the connection ends with this answer. */
  readonly lastOfConnection: boolean;
  /** Leaves it to the caller to end the response, after all of it was sent. */
  readonly isHeldOpen?: boolean;
};

/** The header list of an answer, names and values in turn, as `writeHead` and the wire want it. */
function headerList(answer: Answer, envelope: Envelope): string[] {
  const { requestId = envelope.requestId } = answer;
  const list = withOwn(commonHeaders(answer, requestId), answer.headers);
  if (envelope.lastOfConnection) list.push('Connection', 'close');
  return list;
}

function commonHeaders(answer: Answer, requestId: string): string[] {
  const list = [
    'Cache-Control',
    'no-store',
    'Pragma',
    'no-cache',
    'X-Content-Type-Options',
    'nosniff',
    'Strict-Transport-Security',
    HSTS,
    'X-Request-Id',
    requestId,
  ];
  if (answer.body !== '') list.push('Content-Type', 'application/json');
  // RFC 9110 §8.6: neither status may say a length of content that it does not have.
  if (answer.stream === undefined && answer.status !== 204 && answer.status !== 304) {
    list.push('Content-Length', String(Buffer.byteLength(answer.body)));
  }
  return list;
}

/** `commonHeaders` names no others. In both spellings that there are: to lower the case of each name of each answer costs as much as the rest. */
const COMMON: ReadonlySet<string> = new Set(
  [
    'Cache-Control',
    'Pragma',
    'X-Content-Type-Options',
    'Strict-Transport-Security',
    'X-Request-Id',
    'Content-Type',
    'Content-Length',
  ].flatMap((name) => [name, name.toLowerCase()]),
);

/** The endpoint's own headers behind the common ones; nearly all have names of their own. */
function withOwn(list: string[], own: Readonly<Record<string, string>> | undefined): string[] {
  if (own === undefined) return list;
  const names = Object.keys(own);
  if (names.some((name) => COMMON.has(name))) return overridden(list, own);
  for (const name of names) list.push(name, own[name] as string);
  return list;
}

/** The endpoint's own headers replace common ones of the same name. */
function overridden(list: readonly string[], own: Readonly<Record<string, string>>): string[] {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  // HTTP/1.0's spelling of no-cache would contradict an answer that may be cached.
  if (names.has('cache-control')) names.add('pragma');
  const merged: string[] = [];
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] as string;
    if (!names.has(name.toLowerCase())) merged.push(name, list[at + 1] as string);
  }
  for (const [name, value] of Object.entries(own)) merged.push(name, value);
  return merged;
}

/** Writes a whole answer. Does nothing when one was written already or the caller is gone. */
export function writeAnswer(response: ServerResponse, answer: Answer, envelope: Envelope): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(answer.status, headerList(answer, envelope));
  if (answer.stream !== undefined) {
    goOn(response, answer.stream);
    return;
  }
  // Nearly every body is ASCII, and then this is the cheaper way to say the same bytes.
  const encoding = Buffer.byteLength(answer.body) === answer.body.length ? 'latin1' : 'utf8';
  if (envelope.isHeldOpen === true) response.write(answer.body, encoding);
  else response.end(answer.body, encoding);
}

/** What a reader may leave unread of an answer that goes on; beyond, it is cut off. */
const UNREAD_BYTES_MAX = 256 * 1024;

function goOn(response: ServerResponse, stream: (sink: Sink) => void): void {
  response.flushHeaders();
  // HEAD: there is nothing to go on with.
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  stream({
    write: (text) => {
      if (response.destroyed || response.writableEnded) return false;
      response.write(text);
      if (response.writableLength <= UNREAD_BYTES_MAX) return true;
      response.destroy();
      return false;
    },
    end: () => response.end(),
    onClose: (then) => response.once('close', then),
  });
}

/** The text of an answer for a socket whose request could not be parsed, so that no response object exists. */
export function answerText(
  answer: Answer,
  at: { readonly requestId: string; readonly nowMs: number },
): string {
  const list = headerList(answer, { requestId: at.requestId, lastOfConnection: true });
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`];
  lines.push(`Date: ${new Date(at.nowMs).toUTCString()}`);
  for (let n = 0; n + 1 < list.length; n += 2) lines.push(`${list[n]}: ${list[n + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n${answer.body}`;
}
