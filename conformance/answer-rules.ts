/** What must hold of every answer, granted or refused, at every endpoint (T-40 to T-44 and T-47). Knows no request. */

import assert from 'node:assert/strict';
import type { Reply } from './reply.ts';

/** RFC 6749 §5.2 and §4.1.2.1, RFC 8707 §2. */
const ERROR_CODES: ReadonlySet<unknown> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'server_error',
  'temporarily_unavailable',
]);

/** RFC 6749 §5.2: what may stand in `error` and `error_description`. */
const DESCRIPTION = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;
/** File positions, SQL, versions: what a caller could only learn by a leak. */
const INNER_WORKINGS =
  /\.[cm]?[jt]s:\d|node_modules|node:internal|\b(select|insert|update)\b.+\b(from|into|set)\b|sqlite|fastify/i;

/** The header that a status is of no use without. */
const COMPANIONS: ReadonlyMap<number, string> = new Map([
  [401, 'www-authenticate'],
  [405, 'allow'],
  [429, 'retry-after'],
  [503, 'retry-after'],
]);

/** Fails unless the answer keeps the rules that all answers share. */
export function assertAnswerRules(reply: Reply, { isHead }: { readonly isHead: boolean }): void {
  assertHeaderRules(reply);
  if (reply.status >= 400 && !isHead) assertErrorBody(reply);
}

/** The same of an answer whose errors are in other words than those of OAuth's endpoints. */
export function assertHeaderRules({ status, headers, body }: Reply): void {
  const seen = JSON.stringify({ status, headers, body });
  assert.equal(headers['server'], undefined, `T-40: Server: ${seen}`);
  assert.equal(headers['x-powered-by'], undefined, `T-40: X-Powered-By: ${seen}`);
  assert.doesNotMatch(body, INNER_WORKINGS, 'T-40: inner workings');
  assert.equal(headers['x-content-type-options'], 'nosniff', `T-47: nosniff: ${seen}`);
  assert.match(headers['strict-transport-security'] ?? '', /^max-age=[1-9]/, `T-47: HSTS: ${seen}`);
  const cors = Object.keys(headers).filter((name) => name.startsWith('access-control-'));
  assert.deepEqual(cors, [], `T-47: no CORS unless configured: ${seen}`);
  const companion = COMPANIONS.get(status);
  if (companion !== undefined) assert.ok(headers[companion], `${status} without ${companion}`);
  if (status === 500) assert.fail(`an unhandled failure: ${seen}`);
  if (body !== '') assert.equal(headers['content-type'], 'application/json', seen);
  if (status < 400) return;
  assert.match(headers['cache-control'] ?? '', /no-store/, `T-43: ${seen}`);
}

function assertErrorBody(reply: Reply): void {
  const error = reply.json();
  assert.ok(ERROR_CODES.has(error['error']), `T-42: ${reply.body}`);
  const extra = Object.keys(error).filter((name) => !name.startsWith('error'));
  assert.deepEqual(extra, [], `T-41: members that are no error's: ${reply.body}`);
  assert.match(String(error['error_description']), DESCRIPTION, `T-41: ${reply.body}`);
  const challenge = reply.headers['www-authenticate'];
  if (reply.status !== 401 || challenge === undefined) return;
  // Libraries that see a challenge never read the body, so the challenge says the same.
  assert.match(challenge, /^Basic realm="[^"]+"/, 'RFC 9110 §11.6.1');
  assert.ok(challenge.includes(`error="${error['error']}"`), challenge);
  assert.ok(challenge.includes(`error_description="${error['error_description']}"`), challenge);
}
