import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { post, rawExchange, rawPeer, request } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';

const HOST = 'Host: auth.bank.example';
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const TOKEN = 'POST /sandbox/token';

/** What must be refused, with the connection ended: after it nobody knows where the next request begins (T-57). */
const FAULTY: Readonly<Record<string, string>> = {
  'Transfer-Encoding and Content-Length together': request(
    TOKEN,
    [HOST, FORM, 'Content-Length: 6', 'Transfer-Encoding: chunked'],
    '0\r\n\r\nGE',
  ),
  'two Content-Lengths that differ': request(
    TOKEN,
    [HOST, FORM, 'Content-Length: 3', 'Content-Length: 5'],
    'a=bcd',
  ),
  'two Content-Lengths that agree': request(
    TOKEN,
    [HOST, FORM, 'Content-Length: 3', 'Content-Length: 3'],
    'a=b',
  ),
  'a list of Content-Lengths': request(TOKEN, [HOST, FORM, 'Content-Length: 3, 3'], 'a=b'),
  'a Content-Length with a plus sign': request(TOKEN, [HOST, FORM, 'Content-Length: +3'], 'a=b'),
  'a Content-Length with a space inside': request(
    TOKEN,
    [HOST, FORM, 'Content-Length: 1 0'],
    'a=b',
  ),
  'a negative Content-Length': request(TOKEN, [HOST, FORM, 'Content-Length: -1'], 'a=b'),
  'a hexadecimal Content-Length': request(TOKEN, [HOST, FORM, 'Content-Length: 0x3'], 'a=b'),
  'a Content-Length beyond all numbers': request(TOKEN, [
    HOST,
    FORM,
    `Content-Length: ${'9'.repeat(30)}`,
  ]),
  'a header folded over two lines': request(TOKEN, [
    HOST,
    FORM,
    'X-Folded: a',
    ' b',
    'Content-Length: 0',
  ]),
  'a space before the colon': request(
    TOKEN,
    [HOST, FORM, 'Transfer-Encoding : chunked'],
    '0\r\n\r\n',
  ),
  'a space before the first header': request(TOKEN, [` ${HOST}`, FORM, 'Content-Length: 0']),
  'line ends without a carriage return': post('/sandbox/token', 'a=b').replaceAll('\r\n', '\n'),
  'one line end without a carriage return': request(TOKEN, [
    `${HOST}\nX-A: b`,
    FORM,
    'Content-Length: 0',
  ]),
  'a bare carriage return in a value': request(TOKEN, [
    HOST,
    FORM,
    'X-A: b\rc',
    'Content-Length: 0',
  ]),
  'a NUL in a value': request(TOKEN, [HOST, FORM, 'X-A: b\0c', 'Content-Length: 0']),
  'an unknown transfer coding': request(TOKEN, [HOST, FORM, 'Transfer-Encoding: identity'], 'a=b'),
  'a coding before chunked': request(
    TOKEN,
    [HOST, FORM, 'Transfer-Encoding: gzip, chunked'],
    '0\r\n\r\n',
  ),
  'chunked named twice': request(
    TOKEN,
    [HOST, FORM, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    '0\r\n\r\n',
  ),
  'chunked in disguise': request(TOKEN, [HOST, FORM, 'Transfer-Encoding: xchunked'], '0\r\n\r\n'),
  'a chunk size that is no number': request(
    TOKEN,
    [HOST, FORM, 'Transfer-Encoding: chunked'],
    'zz\r\na=b\r\n0\r\n\r\n',
  ),
  'a chunk longer than its size': request(
    TOKEN,
    [HOST, FORM, 'Transfer-Encoding: chunked'],
    '1\r\na=b\r\n0\r\n\r\n',
  ),
  'chunked in HTTP/1.0': request(
    TOKEN,
    [HOST, FORM, 'Transfer-Encoding: chunked'],
    '0\r\n\r\n',
  ).replace('HTTP/1.1', 'HTTP/1.0'),
  'two Hosts that differ': request(TOKEN, [HOST, 'Host: evil.example', FORM, 'Content-Length: 0']),
  'two Hosts that agree': request(TOKEN, [
    HOST,
    'hOST: auth.bank.example',
    FORM,
    'Content-Length: 0',
  ]),
  'no Host': request(TOKEN, [FORM, 'Content-Length: 0']),
  'a Host with a space': request(TOKEN, ['Host: a b', FORM, 'Content-Length: 0']),
  'a Host that is a URL': request(TOKEN, ['Host: http://a/b', FORM, 'Content-Length: 0']),
  'two Content-Types that agree': post('/sandbox/token', 'a=b', [FORM]),
  'two Content-Types that differ': post('/sandbox/token', 'a=b', ['content-type: text/plain']),
  'a version that does not exist': post('/sandbox/token', 'a=b').replace('HTTP/1.1', 'HTTP/9.9'),
  'another protocol': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'no HTTP at all': '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n',
};

describe('a request whose end or address is doubtful', () => {
  for (const [what, text] of Object.entries(FAULTY)) {
    test(`${what}: 400, nothing reaches an endpoint, and the connection ends`, async (t) => {
      const { port, seen } = await testListener(t);
      const smuggled = post('/sandbox/token', 'smuggled=1');
      const answers = await rawExchange(port, text + smuggled);
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [400],
      );
      const [answer] = answers;
      assert.equal(JSON.parse(answer?.body ?? '').error, 'invalid_request');
      assert.equal(answer?.headers['connection'], 'close');
      assert.equal(answer?.headers['cache-control'], 'no-store');
      assert.match(answer?.headers['x-request-id'] ?? '', /^[0-9a-f]{12}-/);
      assert.equal(seen.length, 0);
    });
  }

  test('what stands in excess of a body is a request of its own, answered as such', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    peer.send(post('/sandbox/token', 'a=b') + post('/sandbox/token', 'second=1'));
    const answers = await peer.answers(2);
    assert.deepEqual(
      answers.map(({ body }) => body),
      ['{"bytes":3}', '{"bytes":8}'],
    );
    assert.deepEqual(
      seen.map(({ requestId }) => requestId),
      answers.map(({ headers }) => headers['x-request-id']),
    );
    peer.destroy();
  });

  test('garbage behind a request never takes the place of its answer', async (t) => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = {
      path: '/slow',
      methods: { POST: () => held.then(() => ({ status: 200, body: '{"issued":1}' })) },
    };
    const { port, listener } = await testListener(t, { more: [slow] });
    const peer = rawPeer(port);
    peer.send(`${post('/slow', 'a=b')}\x00garbage\r\n\r\n`);
    while (listener.inFlight() === 0) await new Promise(setImmediate);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(peer.received(), '');
    release();
    assert.match(await peer.closed, /^HTTP\/1\.1 200 [\s\S]*\{"issued":1\}$/);
  });
});

describe('a body', () => {
  test('of exactly the limit is accepted, whole or in chunks; one byte more is 413 and the end (T-52)', async (t) => {
    const { port, seen } = await testListener(t, { limits: { bodyBytesMax: 100 } });
    const chunk = (size: number): string =>
      request(
        TOKEN,
        [HOST, FORM, 'Transfer-Encoding: chunked'],
        `${size.toString(16)}\r\n${'a'.repeat(size)}\r\n0\r\n\r\n`,
      );
    const peer = rawPeer(port);
    peer.send(post('/sandbox/token', 'a'.repeat(100)) + chunk(100));
    const accepted = await peer.answers(2);
    assert.deepEqual(
      accepted.map((answer) => answer.status),
      [200, 200],
    );
    peer.destroy();
    for (const text of [post('/sandbox/token', 'a'.repeat(101)), chunk(101)]) {
      const [answer, ...more] = await rawExchange(port, text + post('/sandbox/token', 'a=b'));
      assert.equal(answer?.status, 413);
      assert.equal(answer.headers['connection'], 'close');
      assert.equal(JSON.parse(answer.body).error, 'invalid_request');
      assert.deepEqual(more, []);
    }
    assert.equal(seen.length, 2);
  });

  test('of a megabyte is refused in words that its sender can read', async (t) => {
    const { port, seen } = await testListener(t);
    const [answer] = await rawExchange(port, post('/sandbox/token', 'a'.repeat(1024 * 1024)));
    assert.equal(answer?.status, 413);
    assert.equal(seen.length, 0);
  });

  test('in chunks and in single bytes arrives whole (T-56)', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    const text = request(
      TOKEN,
      [HOST, FORM, 'Transfer-Encoding: Chunked'],
      '3;note=x\r\na=b\r\n4\r\n&c=d\r\n0\r\nX-Trailer: y\r\n\r\n',
    );
    for (const letter of text) peer.send(letter);
    const [answer] = await peer.answers(1);
    assert.equal(answer?.status, 200);
    assert.equal(Buffer.from(seen[0]?.body ?? []).toString(), 'a=b&c=d');
    peer.destroy();
  });

  test('that is packed is 415, and says which encoding would do (T-55)', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    for (const encoding of ['gzip', 'deflate', 'identity, gzip', 'GZIP', '']) {
      peer.send(post('/sandbox/token', 'a=b', [`Content-Encoding: ${encoding}`]));
    }
    const answers = await peer.answers(5);
    for (const answer of answers) {
      assert.equal(answer.status, 415);
      assert.equal(answer.headers['accept-encoding'], 'identity');
    }
    assert.equal(seen.length, 0);
    peer.send(post('/sandbox/token', 'a=b', ['Content-Encoding: Identity']));
    assert.equal((await peer.answers(6))[5]?.status, 200);
    peer.destroy();
  });

  test('that comes too slowly is 408, and its request reaches no endpoint (T-58)', async (t) => {
    const { port, seen } = await testListener(t, { limits: { arrivalMsMax: 300 } });
    const peer = rawPeer(port);
    peer.send(post('/sandbox/token', 'a'.repeat(100)).slice(0, -100));
    const drip = setInterval(() => peer.send('a'), 50);
    const text = await peer.closed;
    clearInterval(drip);
    assert.match(text, /^HTTP\/1\.1 408 /);
    assert.match(text, /"error":"invalid_request"/);
    assert.equal(seen.length, 0);
  });

  test('that never comes does not count as a request being decided', async (t) => {
    const { port, listener } = await testListener(t, { limits: { inFlightMax: 1 } });
    const slow = rawPeer(port);
    slow.send(post('/sandbox/token', 'a'.repeat(100)).slice(0, -100));
    const quick = rawPeer(port);
    quick.send(post('/sandbox/token', 'a=b'));
    assert.equal((await quick.answers(1))[0]?.status, 200);
    assert.equal(listener.inFlight(), 0);
    slow.destroy();
    quick.destroy();
  });
});

describe('headers', () => {
  test('that come too slowly are 408', async (t) => {
    const { port } = await testListener(t, { limits: { arrivalMsMax: 300 } });
    assert.match(
      await halfSent(port, 'POST /sandbox/token HTTP/1.1\r\nHost: a\r\n'),
      /^HTTP\/1\.1 408 /,
    );
  });

  test('that are too large are 431', async (t) => {
    const { port } = await testListener(t);
    const [answer] = await rawExchange(
      port,
      post('/sandbox/token', 'a=b', [`X-A: ${'a'.repeat(20_000)}`]),
    );
    assert.equal(answer?.status, 431);
    assert.equal(JSON.parse(answer.body).error, 'invalid_request');
  });

  test('in great number hide no second Host behind them', async (t) => {
    const { port, seen } = await testListener(t);
    const many = Array.from({ length: 2_500 }, () => 'a:');
    const [answer] = await rawExchange(
      port,
      post('/sandbox/token', 'a=b', [...many, 'Host: evil.example']),
    );
    assert.equal(answer?.status, 400);
    assert.equal(seen.length, 0);
  });

  function halfSent(port: number, text: string): Promise<string> {
    const peer = rawPeer(port);
    peer.send(text);
    return peer.closed;
  }
});

describe('Expect: 100-continue', () => {
  const expecting = (length: number): string =>
    post('/sandbox/token', 'a'.repeat(length), ['Expect: 100-continue']).slice(0, -length);

  test('is answered 100, then the request is served (T-58)', async (t) => {
    const { port } = await testListener(t);
    const peer = rawPeer(port);
    peer.send(expecting(10));
    assert.equal((await peer.answers(1))[0]?.status, 100);
    peer.send('a'.repeat(10));
    assert.equal((await peer.answers(2))[1]?.status, 200);
    peer.destroy();
  });

  test('is not encouraged when the body will be refused', async (t) => {
    const { port } = await testListener(t);
    const statuses = (await rawExchange(port, expecting(10_000))).map(({ status }) => status);
    assert.deepEqual(statuses, [413]);
  });

  test('of something else is ignored', async (t) => {
    const { port } = await testListener(t);
    const peer = rawPeer(port);
    peer.send(post('/sandbox/token', 'a=b', ['Expect: a-miracle']));
    assert.equal((await peer.answers(1))[0]?.status, 200);
    peer.destroy();
  });
});
