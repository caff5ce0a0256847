import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REASON_CODES, refuse } from '@countersign/protocol';
import { deriveRequestIdKey } from '../credentials/derive.ts';
import { openRequestId, type RequestIdKey } from '../credentials/request-id.ts';
import { ENDPOINT_CODES, endpointOfCode } from '../ports/endpoint-names.ts';
import type { Log } from '../ports/log.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { newRefusing } from './refusing.ts';

const KEY = deriveRequestIdKey(Buffer.alloc(32, 1), 'sandbox', 1);
const sandbox = { ordinal: 1, name: 'sandbox' };
const client = { ordinal: 41, clientId: 'client_test_4Gq8Zk1LwP0xYb3N' };
const at = { requestId: '5f0c93aa01be-1z', address: '192.0.2.7' };

type Line = { readonly fields: Readonly<Record<string, unknown>>; readonly message: string };

function refusingWith(key: () => RequestIdKey | undefined = () => KEY) {
  const lines: Line[] = [];
  const write: Log['info'] = (fields, message) => void lines.push({ fields, message });
  const clock = newManualClock();
  const log = { info: write, warn: write, error: write };
  return { refusing: newRefusing({ key, clock, log }), lines, clock };
}

test('the id of a refusal holds reason, time, endpoint, environment, client, secret and the request’s own name', () => {
  const { refusing, clock } = refusingWith();
  const asked = { ...at, endpoint: 'token', environment: sandbox } as const;
  const answer = refusing.refuse(refuse('expired-secret'), asked, { client, secret: 77 });
  assert.equal(answer.status, 401);
  const opened = openRequestId(answer.requestId ?? '', () => KEY);
  assert.deepEqual(opened, {
    ok: true,
    request: {
      atMs: clock.wallMs(),
      reason: REASON_CODES['expired-secret'],
      environment: 1,
      endpoint: ENDPOINT_CODES.token,
      client: 41,
      secret: 77,
      node: Buffer.from('5f0c93aa01be', 'hex'),
      count: Number.parseInt('1z', 36),
    },
  });
});

test('a refusal before any route, environment or client is known has an id all the same', () => {
  const { refusing } = refusingWith();
  const opened = openRequestId(refusing.refuse(refuse('not-found'), at).requestId ?? '', () => KEY);
  assert.ok(opened.ok);
  const { environment, endpoint, client: named, secret } = opened.request;
  assert.deepEqual([environment, endpoint, named, secret], [0, 0, 0, 0]);
});

test('without a key the request keeps its own id and is refused as well', () => {
  const { refusing, lines } = refusingWith(() => undefined);
  const answer = refusing.refuse(refuse('wrong-secret'), at);
  assert.equal(answer.requestId, at.requestId);
  assert.equal(answer.status, 401);
  assert.equal(lines[0]?.fields['requestId'], at.requestId);
});

test('of very many refusals a burst has lines, then a few a second; the others are counted by reason, and none goes unmentioned', () => {
  const { refusing, lines, clock } = refusingWith();
  for (let n = 0; n < 10_000; n += 1) refusing.refuse(refuse('wrong-secret'), at);
  for (let n = 0; n < 100; n += 1) refusing.refuse(refuse('not-found'), at);
  assert.equal(lines.length, 500);
  clock.advance(10_000);
  refusing.refuse(refuse('not-found'), at);
  const [summary, one] = lines.slice(500);
  assert.equal(summary?.message, 'refusals without a line of their own');
  assert.deepEqual(summary?.fields['leftOut'], { 'wrong-secret': 9_500, 'not-found': 100 });
  assert.equal(one?.message, 'refused');
  for (let n = 0; n < 10_000; n += 1) refusing.refuse(refuse('not-found'), at);
  assert.equal(lines.length, 500 + 1 + 50, 'five a second');
});

test('no number of an endpoint is used twice, and each leads back to its name', () => {
  const codes = Object.values(ENDPOINT_CODES);
  assert.equal(new Set(codes).size, codes.length);
  for (const [name, code] of Object.entries(ENDPOINT_CODES))
    assert.equal(endpointOfCode(code), name);
  assert.equal(endpointOfCode(0xffff), undefined);
});
