import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { send } from './exchange.ts';
import { startAuthority } from './harness.ts';
import { rawExchange, rawRequest } from './raw-connection.ts';

const authority = await startAuthority();
after(() => authority.stop());
const endpoints = ['token', 'introspect', 'revoke'] as const;

for (const endpoint of endpoints) {
  describe(`/${endpoint}`, () => {
    const url = `${authority.issuer()}/${endpoint}`;

    for (const method of [
      'GET',
      'HEAD',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
    ]) {
      test(`T-37, T-73, I-12, R-10: ${method} is 405, names POST, and nothing about other origins`, async () => {
        const reply = await send(url, { method });
        assert.equal(reply.status, 405);
        assert.equal(reply.headers['allow'], 'POST');
      });
    }

    test('T-37: a method that does not exist is refused', async () => {
      const host = `Host: 127.0.0.1:${authority.port}`;
      const [reply] = await rawExchange(
        authority.port,
        rawRequest(`FETCH /sandbox/${endpoint}`, [host, 'Connection: close']),
      );
      assert.equal(reply?.status, 400);
    });

    test('T-73: a preflight is told of no origin', async () => {
      const reply = await send(url, {
        method: 'OPTIONS',
        headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
      });
      assert.equal(reply.status, 405);
    });

    test('R-10, I-12: a token or a callback in the URL of a GET is 405, not JSONP', async () => {
      const reply = await send(`${url}?token=x&callback=run`);
      assert.equal(reply.status, 405);
      assert.doesNotMatch(reply.body, /run/);
    });
  });
}

test('T-37: CONNECT opens no tunnel', async () => {
  const [reply, ...more] = await rawExchange(
    authority.port,
    rawRequest('CONNECT 127.0.0.1:22', ['Host: 127.0.0.1:22']),
  );
  assert.equal(reply?.status, 405);
  assert.deepEqual(more, []);
});

const nowhere = [
  '/token',
  '/sandbox',
  '/sandbox/',
  '/sandbox/token/',
  '/sandbox//token',
  '/Sandbox/token',
  '/sandbox/Token',
  '/sandbox/%74oken/x',
  '/staging/token',
  '/sandbox/../production/token',
  '/sandbox/token;x',
];

for (const path of nowhere) {
  test(`${path} is no endpoint: 404, in an error's form`, async () => {
    const [reply] = await rawExchange(
      authority.port,
      rawRequest(`POST ${path}`, [
        `Host: 127.0.0.1:${authority.port}`,
        'Content-Length: 0',
        'Connection: close',
      ]),
    );
    assert.equal(reply?.status, 404);
    assert.equal(reply?.json()['error'], 'invalid_request');
  });
}

test('B-29: a host that is not ours changes no endpoint in the metadata', async () => {
  const path = '/.well-known/oauth-authorization-server/sandbox';
  const [reply] = await rawExchange(
    authority.port,
    rawRequest(`GET http://evil.example${path}`, ['Host: evil.example', 'Connection: close']),
  );
  assert.equal(reply?.status, 200);
  assert.equal(reply?.json()['issuer'], authority.issuer());
});
