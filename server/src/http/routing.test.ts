import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { describe, test } from 'node:test';
import { post, rawExchange, rawPeer, request } from './testing/raw-socket.ts';
import { builtListener, testListener } from './testing/test-listener.ts';

const HOST = 'Host: auth.bank.example';

describe('a method that a path does not answer', () => {
  test('is 405 with Allow, whichever it is, and never CORS (T-37, T-73)', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    const methods = METHODS.filter((method) => method !== 'POST' && method !== 'CONNECT');
    assert.ok(methods.includes('HEAD') && methods.includes('TRACE') && methods.includes('OPTIONS'));
    for (const method of methods.filter((one) => one !== 'HEAD')) {
      peer.send(
        request(`${method} /sandbox/token`, [
          HOST,
          'Origin: https://evil.example',
          'Access-Control-Request-Method: POST',
        ]),
      );
    }
    const answers = await peer.answers(methods.length - 1);
    for (const answer of answers) {
      assert.equal(answer.status, 405);
      assert.equal(answer.headers['allow'], 'POST');
      assert.equal(JSON.parse(answer.body).error, 'invalid_request');
      assert.deepEqual(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
        [],
      );
    }
    assert.equal(seen.length, 0);
    peer.destroy();
  });

  test('is 405 for HEAD too, without a body', async (t) => {
    const { port } = await testListener(t);
    const text = await exchangeText(
      port,
      request('HEAD /sandbox/token', [HOST, 'Connection: close']),
    );
    assert.match(text, /^HTTP\/1\.1 405 [\s\S]*\r\nallow: POST\r\n[\s\S]*\r\n\r\n$/i);
  });

  test('names every method that the path does answer', async (t) => {
    const { port } = await testListener(t);
    const peer = rawPeer(port);
    for (const path of ['/metadata', '/both']) peer.send(request(`DELETE ${path}`, [HOST]));
    const answers = await peer.answers(2);
    assert.deepEqual(
      answers.map(({ headers }) => headers['allow']),
      ['GET, HEAD', 'GET, HEAD, POST'],
    );
    peer.destroy();
  });

  test('that no registry knows is 400; CONNECT gets no tunnel', async (t) => {
    const { port } = await testListener(t);
    const [unknown] = await rawExchange(port, request('BREW /sandbox/token', [HOST]));
    assert.equal(unknown?.status, 400);
    const [tunnel] = await rawExchange(port, request('CONNECT internal.example:443', [HOST]));
    assert.equal(tunnel?.status, 405);
    assert.ok(tunnel.headers['allow']);
  });

  test('with a small body leaves the connection in order; with a large one ends it', async (t) => {
    const { port } = await testListener(t);
    const put = (size: number): string =>
      request('PUT /sandbox/token', [HOST, `Content-Length: ${size}`], 'a'.repeat(size));
    const peer = rawPeer(port);
    peer.send(put(100) + post('/sandbox/token', 'a=b'));
    const answers = await peer.answers(2);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [405, 200],
    );
    peer.destroy();
    const refused = await rawExchange(port, put(100_000) + post('/sandbox/token', 'a=b'));
    assert.deepEqual(
      refused.map(({ status }) => status),
      [405],
    );
  });
});

describe('a path', () => {
  test('is known only as it is written', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    const strangers = [
      '/',
      '/token',
      '/sandbox/token/',
      '/sandbox//token',
      '//sandbox/token',
      '/Sandbox/token',
      '/sandbox/TOKEN',
      '/sandbox/./token',
      '/other/../sandbox/token',
      '/sandbox%2Ftoken',
      '/sandbox/token;a=b',
      '/sandbox/token%00',
      '/sandbox/token%20',
      '/%zz',
      '/%c0%af',
      '/sandbox/%74oken',
      '/sandbox/token#x',
      '/__proto__',
      '/sandbox/constructor',
    ];
    for (const path of strangers) peer.send(post(path, 'a=b'));
    const answers = await peer.answers(strangers.length);
    for (const [at, answer] of answers.entries()) {
      assert.equal(answer.status, 404, strangers[at] ?? '');
      assert.equal(JSON.parse(answer.body).error, 'invalid_request');
    }
    assert.equal(seen.length, 0);
    peer.destroy();
  });

  test('that is none is 400', async (t) => {
    const { port, seen } = await testListener(t);
    const strangers = [
      '*',
      'sandbox/token',
      'ftp://a/sandbox/token',
      'http:///sandbox/token',
      'http://user@a/sandbox/token',
      'http://a#/sandbox/token',
    ];
    for (const target of strangers) {
      const [answer] = await rawExchange(port, post(target, 'a=b'));
      assert.equal(answer?.status, 400, target);
    }
    assert.equal(seen.length, 0);
  });

  test('in absolute form is served as the same path, whatever host it names (B-29)', async (t) => {
    const { port, seen } = await testListener(t);
    const peer = rawPeer(port);
    peer.send(post('http://evil.example/sandbox/token?x=1', 'a=b'));
    peer.send(post('/sandbox/token?x=1', 'a=b').replace('auth.bank.example', 'evil.example'));
    const answers = await peer.answers(2);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    assert.deepEqual(
      seen.map(({ query }) => query),
      ['x=1', 'x=1'],
    );
    peer.destroy();
  });

  test('bound to a host is served for that host alone, in any case and on any port', async (t) => {
    const route = {
      host: 'Sandbox.bank.example',
      path: '/token',
      methods: { POST: () => ({ status: 200, body: '{}' }) },
    };
    const everywhere = {
      path: '/everywhere',
      methods: { POST: () => ({ status: 201, body: '{}' }) },
    };
    const butHere = {
      ...everywhere,
      host: 'sandbox.bank.example',
      methods: { POST: () => ({ status: 202, body: '{}' }) },
    };
    const { port } = await testListener(t, { more: [route, everywhere, butHere] });
    const ask = async (target: string, host: string): Promise<number | undefined> => {
      const peer = rawPeer(port);
      peer.send(request(`POST ${target}`, [`Host: ${host}`, 'Content-Length: 0']));
      const [answer] = await peer.answers(1);
      peer.destroy();
      return answer?.status;
    };
    assert.equal(await ask('/token', 'sandbox.bank.example'), 200);
    assert.equal(await ask('/token', 'SANDBOX.bank.example:8443'), 200);
    assert.equal(await ask('/token', 'production.bank.example'), 404);
    assert.equal(await ask('/everywhere', 'production.bank.example'), 201);
    assert.equal(await ask('/everywhere', 'sandbox.bank.example'), 202);
    assert.equal(await ask('/token', 'sandbox.bank.example.evil.example'), 404);
    // RFC 9112 §3.2.2: the target's host counts, not the header's.
    assert.equal(await ask('http://sandbox.bank.example/token', 'production.bank.example'), 200);
    assert.equal(await ask('http://production.bank.example/token', 'sandbox.bank.example'), 404);
  });

  test('that is none, or stands there twice, is not accepted as a route', async () => {
    const methods = { GET: () => ({ status: 200, body: '' }) };
    for (const path of ['token', '', '/a?b', '/a#b', '/a b']) {
      await assert.rejects(builtListener({ more: [{ path, methods }] }), /Not a path: /);
    }
    const twice = ['a.example', 'A.Example'].map((host) => ({ host, path: '/a', methods }));
    await assert.rejects(builtListener({ more: twice }), /Two routes for one path/);
  });
});

test('an upgrade is not taken up: the request is answered as it is', async (t) => {
  const { port } = await testListener(t);
  const peer = rawPeer(port);
  peer.send(post('/sandbox/token', 'a=b', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c']));
  const [answer] = await peer.answers(1);
  assert.equal(answer?.status, 200);
  peer.destroy();
});

test('GET answers HEAD with the same headers and no body', async (t) => {
  const { port } = await testListener(t);
  const head = await exchangeText(port, request('HEAD /metadata', [HOST, 'Connection: close']));
  assert.match(head, /^HTTP\/1\.1 200 [\s\S]*\r\nContent-Length: 11\r\n[\s\S]*\r\n\r\n$/);
});

async function exchangeText(port: number, text: string): Promise<string> {
  const peer = rawPeer(port);
  peer.send(text);
  return await peer.closed;
}
