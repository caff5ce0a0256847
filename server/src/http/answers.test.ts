import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer } from '../endpoints/exchange.ts';
import { StoreUnavailable } from '../ports/store.ts';
import { post, type RawAnswer, rawPeer, request } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';

const HOST = 'Host: auth.bank.example';

/** Headers of Node's own that say nothing about us. */
const TRANSPORT = ['connection', 'content-length', 'date', 'keep-alive'];
const COMMON = [
  'cache-control',
  'pragma',
  'strict-transport-security',
  'x-content-type-options',
  'x-request-id',
];

function ownHeaders(answer: RawAnswer): string[] {
  return Object.keys(answer.headers).filter((name) => !TRANSPORT.includes(name));
}

describe('every answer', () => {
  test('carries these headers and no others: success, 404, 405, 413, 415, 400, 500 (T-40, T-43, T-47)', async (t) => {
    const broken = {
      path: '/broken',
      methods: {
        POST: () => {
          throw new Error('select * from secrets');
        },
      },
    };
    const { port } = await testListener(t, { more: [broken] });
    const cases: readonly (readonly [number, string, readonly string[]])[] = [
      [200, post('/sandbox/token', 'a=b'), []],
      [404, post('/nowhere', 'a=b'), []],
      [405, request('GET /sandbox/token', [HOST]), ['allow']],
      [413, post('/sandbox/token', 'a'.repeat(9_000)), []],
      [415, post('/sandbox/token', 'a', ['Content-Encoding: br']), ['accept-encoding']],
      [400, post('/sandbox/token', 'a', ['Host: b']), []],
      [400, 'nonsense\r\n\r\n', []],
      [500, post('/broken', 'a=b'), []],
    ];
    for (const [status, text, more] of cases) {
      const peer = rawPeer(port);
      peer.send(text);
      const [answer] = await peer.answers(1);
      peer.destroy();
      assert.equal(answer?.status, status);
      assert.deepEqual(ownHeaders(answer).sort(), [...COMMON, 'content-type', ...more].sort());
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers['pragma'], 'no-cache');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
      assert.ok(answer.headers['date']);
      assert.doesNotMatch(answer.body, /select|secrets|\.ts|Error/);
      JSON.parse(answer.body);
    }
  });

  test('has no Content-Type where it has no body', async (t) => {
    const more = [
      { path: '/empty', methods: { GET: (): Answer => ({ status: 200, body: '' }) } },
      { path: '/none', methods: { GET: (): Answer => ({ status: 204, body: '' }) } },
    ];
    const { port } = await testListener(t, { more });
    const peer = rawPeer(port);
    peer.send(request('GET /empty', [HOST]) + request('GET /none', [HOST]));
    const [empty, none] = await peer.answers(2);
    assert.ok(empty && none);
    assert.deepEqual(ownHeaders(empty).sort(), COMMON);
    assert.equal(empty.headers['content-length'], '0');
    assert.deepEqual(ownHeaders(none).sort(), COMMON);
    assert.equal(none.headers['content-length'], undefined);
    peer.destroy();
  });

  test('takes the endpoint’s headers in place of its own, and may then be cached', async (t) => {
    const GET = (): Answer => ({
      status: 200,
      headers: { 'cache-control': 'public, max-age=300', 'Content-Type': 'text/plain' },
      body: 'ä',
    });
    const { port } = await testListener(t, { more: [{ path: '/page', methods: { GET } }] });
    const peer = rawPeer(port);
    peer.send(request('GET /page', [HOST]));
    const [answer] = await peer.answers(1);
    assert.equal(answer?.headers['cache-control'], 'public, max-age=300');
    assert.equal(answer.headers['content-type'], 'text/plain');
    assert.equal(answer.headers['pragma'], undefined);
    assert.equal(answer.headers['content-length'], '2');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    peer.destroy();
  });

  test('has an id that its caller did not choose, and none has it twice', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    const chosen = post('/sandbox/token', 'a=b', ['X-Request-Id: chosen', 'Request-Id: chosen']);
    peer.send(chosen.repeat(3));
    const ids = (await peer.answers(3)).map(({ headers }) => headers['x-request-id']);
    assert.deepEqual(
      ids,
      seen.map(({ requestId }) => requestId),
    );
    assert.equal(new Set(ids).size, 3);
    assert.ok(!ids.includes('chosen'));
    peer.destroy();
  });
});

describe('an endpoint', () => {
  test('is handed what came, unparsed, and every Authorization line', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    peer.send(
      post('/sandbox/token?a=1&a=2&__proto__=x#%zz', 'x=\xff\x00', [
        'Authorization: Basic one',
        'authorization: Bearer two',
        'X-Forwarded-For: 198.51.100.9',
        'X-Forwarded-Proto: http',
      ]),
    );
    await peer.answers(1);
    const [incoming] = seen;
    assert.equal(incoming?.query, 'a=1&a=2&__proto__=x#%zz');
    assert.deepEqual(incoming.authorization, ['Basic one', 'Bearer two']);
    assert.equal(incoming.contentType, 'application/x-www-form-urlencoded');
    assert.deepEqual([...incoming.body], [...Buffer.from('x=\xff\x00', 'latin1')]);
    assert.equal(incoming.address, '127.0.0.1');
    peer.destroy();
  });

  test('decides over content types itself, also over strange ones and none (T-39)', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    for (const type of [
      'Content-Type: ',
      'Content-Type: garbage',
      'Content-Type: text/plain',
      'X: y',
    ]) {
      peer.send(request('POST /sandbox/token', [HOST, type, 'Content-Length: 3'], 'a=b'));
    }
    await peer.answers(4);
    assert.deepEqual(
      seen.map(({ contentType }) => contentType),
      ['', 'garbage', 'text/plain', undefined],
    );
    peer.destroy();
  });
});

describe('a failing endpoint', () => {
  const SECRET = 'secret_test_planted';
  const failing = (error: unknown) => ({
    path: '/failing',
    methods: { POST: () => Promise.reject(error) },
  });

  test('grants nothing: 500, its reason in the log under the request’s id, the request’s words nowhere', async (t) => {
    const cause = Object.assign(new Error('disk full'), { parameters: [SECRET] });
    const { port, logged } = await testListener(t, {
      more: [failing(new Error('cannot append', { cause }))],
    });
    const peer = rawPeer(port);
    peer.send(
      post(`/failing?q=${SECRET}`, `client_secret=${SECRET}`, [`Authorization: ${SECRET}`]),
    );
    const [answer] = await peer.answers(1);
    assert.equal(answer?.status, 500);
    assert.equal(JSON.parse(answer.body).error, 'server_error');
    assert.doesNotMatch(JSON.stringify(answer), /disk full|cannot append/);
    assert.equal(logged.length, 1);
    assert.equal(logged[0]?.level, 'error');
    assert.equal(logged[0].fields['requestId'], answer.headers['x-request-id']);
    assert.equal(logged[0].fields['path'], '/failing');
    assert.match(JSON.stringify(logged), /cannot append[\s\S]*disk full/);
    assert.doesNotMatch(JSON.stringify(logged), new RegExp(SECRET));
    peer.destroy();
  });

  test('whose store is out is 503 with Retry-After, and an outage does not flood the log (T-70)', async (t) => {
    const { port, logged } = await testListener(t, {
      more: [failing(new StoreUnavailable('connection refused'))],
    });
    const peer = rawPeer(port);
    peer.send(post('/failing', 'a=b').repeat(20));
    for (const answer of await peer.answers(20)) {
      assert.equal(answer.status, 503);
      assert.ok(Number(answer.headers['retry-after']) >= 1);
      assert.equal(JSON.parse(answer.body).error, 'temporarily_unavailable');
    }
    assert.ok(logged.length >= 1 && logged.length < 20, `${logged.length} lines`);
    peer.destroy();
  });

  test('that throws at once, throws no error, or names an impossible header is 500 as well', async (t) => {
    const endpoints: Readonly<Record<string, () => Answer>> = {
      '/throws': () => {
        throw new TypeError('at once');
      },
      '/throws-text': () => {
        throw SECRET;
      },
      '/bad-header': () => ({ status: 200, headers: { 'X-A': 'a\r\nb' }, body: '{"granted":1}' }),
      '/nothing': () => undefined as unknown as Answer,
    };
    const more = Object.entries(endpoints).map(([path, POST]) => ({ path, methods: { POST } }));
    const { port, logged, listener } = await testListener(t, { more });
    const peer = rawPeer(port);
    for (const { path } of more) peer.send(post(path, 'a=b'));
    peer.send(post('/sandbox/token', 'a=b'));
    const answers = await peer.answers(more.length + 1);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [500, 500, 500, 500, 200],
    );
    assert.equal(logged.length, more.length);
    assert.doesNotMatch(JSON.stringify([logged, answers]), /secret_test_planted|granted\W+1/);
    assert.equal(listener.inFlight(), 0);
    peer.destroy();
  });
});

describe('overload', () => {
  test('is told early with 503 and Retry-After, health excepted; afterwards all is served again', async (t) => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const POST = (): Promise<Answer> => held.then(() => ({ status: 200, body: '{"held":1}' }));
    const { port, listener, seen } = await testListener(t, {
      limits: { inFlightMax: 2 },
      more: [{ path: '/held', methods: { POST } }],
    });
    const held1 = rawPeer(port);
    const held2 = rawPeer(port);
    held1.send(post('/held', 'a=b'));
    held2.send(post('/held', 'a=b'));
    while (listener.inFlight() < 2) await new Promise(setImmediate);
    const peer = rawPeer(port);
    peer.send(post('/sandbox/token', 'a=b') + request('GET /health/live', [HOST]));
    const [refused, health] = await peer.answers(2);
    assert.equal(refused?.status, 503);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    assert.equal(JSON.parse(refused.body).error, 'temporarily_unavailable');
    assert.equal(health?.status, 200);
    assert.equal(seen.length, 1);
    release();
    assert.equal((await held1.answers(1))[0]?.status, 200);
    assert.equal((await held2.answers(1))[0]?.status, 200);
    peer.send(post('/sandbox/token', 'a=b'));
    assert.equal((await peer.answers(3))[2]?.status, 200);
    for (const one of [held1, held2, peer]) one.destroy();
  });

  test('counts no request whose caller went away', async (t) => {
    const { port, listener } = await testListener(t, { limits: { inFlightMax: 1 } });
    const gone = rawPeer(port);
    gone.send(post('/sandbox/token', 'a'.repeat(100)).slice(0, -50));
    gone.destroy();
    await gone.closed;
    const peer = rawPeer(port);
    peer.send(post('/sandbox/token', 'a=b'));
    assert.equal((await peer.answers(1))[0]?.status, 200);
    assert.equal(listener.inFlight(), 0);
    peer.destroy();
  });
});
