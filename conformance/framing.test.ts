import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FORM, post } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { grantOf, newClient, newProgram } from './onboarding.ts';
import { rawConnection, rawExchange, rawRequest } from './raw-connection.ts';

const REQUEST_TIMEOUT_MS = 600;

const authority = await startAuthority({
  variables: { COUNTERSIGN_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) },
});
after(() => authority.stop());
const client = await newClient(authority, await newProgram(authority));

const body = new URLSearchParams(grantOf(client)).toString();
const host = `Host: 127.0.0.1:${authority.port}`;
const form = `Content-Type: ${FORM}`;
const length = `Content-Length: ${body.length}`;
const start = 'POST /sandbox/token';
const hex = body.length.toString(16);
const chunked = 'Transfer-Encoding: chunked';
/** What a smuggler would have us answer: it must never be. */
const smuggled = rawRequest(`GET /health/live`, [host]);

const whole = rawRequest(start, [host, form, length], body);

test('T-56: a chunked body is a body', async () => {
  const connection = rawConnection(authority.port);
  const half = Math.floor(body.length / 2);
  const chunks = [body.slice(0, half), body.slice(half)].map(
    (chunk) => `${chunk.length.toString(16)};name=value\r\n${chunk}\r\n`,
  );
  connection.send(rawRequest(start, [host, form, chunked], `${chunks.join('')}0\r\n\r\n`));
  const [reply] = await connection.answers(1);
  assert.equal(reply?.status, 200);
  connection.destroy();
});

test('T-56: a chunked body that grows too large is 413, and the connection ends', async () => {
  const chunk = `400\r\n${'a'.repeat(1024)}\r\n`;
  const replies = await rawExchange(
    authority.port,
    rawRequest(start, [host, form, chunked], `${chunk.repeat(9)}0\r\n\r\n`),
  );
  assert.deepEqual(
    replies.map(({ status }) => status),
    [413],
  );
});

/** Messages that two readers could divide differently; the rest of the connection must not be read. */
const ambiguous: Readonly<Record<string, string>> = {
  'Transfer-Encoding and Content-Length': rawRequest(
    start,
    [host, form, length, chunked],
    `${hex}\r\n${body}\r\n0\r\n\r\n`,
  ),
  'Content-Length and Transfer-Encoding': rawRequest(
    start,
    [host, form, chunked, 'Content-Length: 4'],
    `${hex}\r\n${body}\r\n0\r\n\r\n`,
  ),
  'Content-Length twice': rawRequest(start, [host, form, length, length], body),
  'two different Content-Lengths': rawRequest(
    start,
    [host, form, length, 'Content-Length: 1'],
    body,
  ),
  'Content-Length with a plus sign': rawRequest(
    start,
    [host, form, `Content-Length: +${body.length}`],
    body,
  ),
  'Content-Length with a space inside': rawRequest(
    start,
    [host, form, 'Content-Length: 1 0'],
    body,
  ),
  'a list of Content-Lengths': rawRequest(
    start,
    [host, form, `Content-Length: ${body.length}, ${body.length}`],
    body,
  ),
  'hexadecimal Content-Length': rawRequest(start, [host, form, 'Content-Length: 0x10'], body),
  'negative Content-Length': rawRequest(start, [host, form, 'Content-Length: -1'], body),
  'a folded header line': rawRequest(start, [host, form, 'X-Folded: a\r\n b', length], body),
  'a space before the colon': rawRequest(
    start,
    [host, form, 'Transfer-Encoding : chunked', length],
    `${hex}\r\n${body}\r\n0\r\n\r\n`,
  ),
  'a coding nobody knows': rawRequest(start, [host, form, 'Transfer-Encoding: xchunked'], body),
  'two codings': rawRequest(start, [host, form, 'Transfer-Encoding: gzip, chunked'], body),
  'chunked twice': rawRequest(start, [host, form, chunked, chunked], body),
  'line ends without a return': whole.replaceAll('\r\n', '\n'),
  'a bare return inside a line': rawRequest(start, [host, form, 'X-Bare: a\rb', length], body),
  'a NUL in a header': rawRequest(start, [host, form, 'X-Nul: a\0b', length], body),
  'a chunk size that is no number': rawRequest(
    start,
    [host, form, chunked],
    `zz\r\n${body}\r\n0\r\n\r\n`,
  ),
  'a chunk longer than it says': rawRequest(
    start,
    [host, form, chunked],
    `1\r\n${body}\r\n0\r\n\r\n`,
  ),
  'Host twice': rawRequest(start, [host, host, form, length], body),
  'two different Hosts': rawRequest(start, [host, 'Host: evil.example', form, length], body),
  'no Host': rawRequest(start, [form, length], body),
  'a Host that is none': rawRequest(start, ['Host: a b', form, length], body),
  'two Content-Types': rawRequest(start, [host, form, 'Content-Type: text/plain', length], body),
  'the same Content-Type twice': rawRequest(start, [host, form, form, length], body),
};

for (const [name, message] of Object.entries(ambiguous)) {
  test(`T-57, T-39, B-29: ${name}: 400, no token, and nothing behind it is read`, async () => {
    const replies = await rawExchange(authority.port, message + smuggled);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [400],
    );
    assert.equal(replies[0]?.json()['error'], 'invalid_request');
    assert.equal(replies[0]?.headers['connection'], 'close');
  });
}

test('T-57: on one connection each answer belongs to its request, a token only to the one that may have it', async () => {
  const wrong = body.replace('client_secret=', 'client_secret=x');
  const refused = rawRequest(start, [host, form, `Content-Length: ${wrong.length}`], wrong);
  const connection = rawConnection(authority.port);
  connection.send(whole + refused + smuggled + whole);
  const replies = await connection.answers(4);
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 401, 200, 200],
  );
  assert.equal(replies[2]?.body, '{"status":"live"}');
  connection.destroy();
});

test('T-57: what follows a good request and is none costs that request nothing', async () => {
  const replies = await rawExchange(authority.port, `${whole}G\0RBAGE\r\n\r\n`);
  assert.equal(replies[0]?.status, 200);
  assert.ok(replies.length <= 2 && replies.slice(1).every(({ status }) => status === 400));
});

test('T-52: a body above the limit is 413, said before or found, and the connection ends', async () => {
  const large = body.padEnd(8 * 1024 + 1, 'a');
  for (const sent of [large, large.padEnd(1_000_000, 'a')]) {
    const replies = await rawExchange(
      authority.port,
      rawRequest(start, [host, form, `Content-Length: ${sent.length}`], sent) + smuggled,
    );
    assert.deepEqual(
      replies.map(({ status }) => status),
      [413],
    );
    assert.equal(replies[0]?.headers['connection'], 'close');
  }
});

test('T-52: a body of exactly the limit is read', async () => {
  const reply = await post(client.token_endpoint, `${body}&x=`.padEnd(8 * 1024, 'a'));
  assert.equal(reply.status, 200, reply.body);
});

test('T-58: whoever expects a go-ahead gets it, and then a token', async () => {
  const connection = rawConnection(authority.port);
  connection.send(rawRequest(start, [host, form, length, 'Expect: 100-continue']));
  assert.equal((await connection.answers(1))[0]?.status, 100);
  connection.send(body);
  assert.equal((await connection.answers(2))[1]?.status, 200);
  connection.destroy();
});

test('T-58: no go-ahead for a body that will be refused', async () => {
  const connection = rawConnection(authority.port);
  connection.send(
    rawRequest(start, [host, form, 'Content-Length: 1000000', 'Expect: 100-continue']),
  );
  assert.equal((await connection.answers(1))[0]?.status, 413);
  connection.destroy();
});

for (const [what, head] of [
  ['body', rawRequest(start, [host, form, length])],
  ['head', `${start} HTTP/1.1\r\n${host}\r\nX-Slow: `],
] as const) {
  test(`T-58: a ${what} that trickles in is cut off with 408`, async () => {
    const connection = rawConnection(authority.port);
    connection.send(head);
    const trickle = setInterval(() => connection.send('a'), REQUEST_TIMEOUT_MS / 10);
    const startedMs = performance.now();
    const replies = await connection.closed;
    clearInterval(trickle);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [408],
    );
    assert.ok(performance.now() - startedMs >= REQUEST_TIMEOUT_MS * 0.9, 'not before its time');
  });
}

test('headers beyond the limit are 431', async () => {
  const replies = await rawExchange(
    authority.port,
    rawRequest(start, [host, form, `X-Large: ${'a'.repeat(20_000)}`, length], body),
  );
  assert.deepEqual(
    replies.map(({ status }) => status),
    [431],
  );
});

test('T-53: a thousand short header lines hide no second Host', async () => {
  const lines = Array.from({ length: 1_500 }, (_, n) => `A: ${n % 10}`);
  const replies = await rawExchange(
    authority.port,
    rawRequest(start, [host, form, length, ...lines, 'Host: evil.example'], body),
  );
  assert.deepEqual(
    replies.map(({ status }) => status),
    [400],
  );
});
