/** What each framework's users do with a guard beyond a route on a socket; that this file compiles is part of the test. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Presented, Verdict, Verifier } from '@countersign/resource-server';
import * as forExpress from '@countersign/resource-server/express';
import * as forFastify from '@countersign/resource-server/fastify';
import * as forHono from '@countersign/resource-server/hono';
import express from 'express';
import fastify, { type FastifyRequest } from 'fastify';
import { Hono } from 'hono';

const identity = {
  programId: 'program_1',
  clientId: 'client_1',
  scope: new Set(['accounts:read']),
  tokenId: 'jti_1',
  audience: 'https://api.bank.example',
  expiresAtSeconds: 4_000_000_000,
};
const WIRE = { status: 401, error: undefined, description: 'No.', headers: {} };

/** Lets whoever says `Bearer good` in one header line pass, and keeps what it was shown. */
function newStub() {
  const shown: Presented[] = [];
  const check: Verifier['check'] = (presented) => {
    shown.push(presented);
    const ok = presented.authorization.join('|') === 'Bearer good';
    const refused = { ok: false, reason: 'no-token', wire: WIRE } as const;
    return Promise.resolve<Verdict>(ok ? { ok, identity } : refused);
  };
  return { shown, check };
}

test('a request that Fastify injects is judged as one from a socket', async () => {
  const { check, shown } = newStub();
  const app = fastify().register(forFastify.withIdentity);
  const guard = forFastify.newGuard({ check });
  type Typed = { Params: { id: string }; Reply: { of: string } };
  app.get<Typed>('/accounts/:id', { onRequest: guard }, ({ identity, params }) => ({
    of: `${identity.programId} ${params.id}`,
  }));
  // A schema for refusals must not rewrite ours.
  const response = { '4xx': { type: 'object', properties: { other: { type: 'string' } } } };
  app.get('/schema', { preHandler: guard, schema: { response } }, () => 'reached');
  const call = async (url: string, authorization: string) => {
    const answer = await app.inject({ url, headers: { authorization } });
    return [answer.statusCode, answer.body];
  };
  assert.deepEqual(await call('/accounts/7?a=b', 'Bearer good'), [200, '{"of":"program_1 7"}']);
  assert.deepEqual(shown.at(-1), {
    authorization: ['Bearer good'],
    query: 'a=b',
    clientIp: '127.0.0.1',
  });
  assert.deepEqual(await call('/schema', 'Bearer bad'), [401, '{"error_description":"No."}']);
  await app.close();
});

test('a hook guards the whole plugin it stands in, unknown paths and all, and nothing beside it', async () => {
  const { check } = newStub();
  const app = fastify().register(forFastify.withIdentity);
  app.register(
    (accounts, _options, done) => {
      accounts.addHook('onRequest', forFastify.newGuard({ check }));
      accounts.setNotFoundHandler((_request, reply) => reply.code(404).send('reached'));
      accounts.get('/all', ({ identity }) => identity.programId);
      done();
    },
    { prefix: '/accounts' },
  );
  app.get('/beside', (request: FastifyRequest) => request.identity.programId);
  const call = async (url: string, authorization = '') =>
    (await app.inject({ url, headers: { authorization } })).statusCode;
  assert.equal(await call('/accounts/all', 'Bearer good'), 200);
  assert.equal(await call('/accounts/all'), 401);
  assert.equal(await call('/accounts/none'), 401);
  assert.equal(await call('/beside', 'Bearer good'), 500, 'who passed no guard has no identity');
  await app.close();
});

test('over HTTP/2 Fastify guards as over HTTP/1.1, and both of two headers are seen', async () => {
  const { check, shown } = newStub();
  const app = fastify({ http2: true });
  const guard = forFastify.newGuard<Http2Server>({ check });
  app.get('/', { onRequest: guard }, () => 'reached');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  // What the types of Node do not know: a client that sends what it should not.
  const careless: object = { strictSingleValueFields: false };
  const client = connect(url, careless);
  const call = (headers: readonly string[]) =>
    new Promise((resolve, reject) => {
      const path = [':path', '/', ':method', 'GET'];
      const stream = client.request([...path, ...headers]);
      stream.on('response', (head) => resolve(head[':status'])).on('error', reject);
      stream.resume().end();
    });
  try {
    assert.equal(await call(['authorization', 'Bearer good']), 200);
    assert.equal(await call([]), 401);
    const two = ['authorization', 'Bearer good', 'authorization', 'Bearer good'];
    assert.equal(await call(two), 401);
    const both = { authorization: ['Bearer good', 'Bearer good'] };
    assert.deepEqual(shown.at(-1), { ...both, query: '', clientIp: '127.0.0.1' });
  } finally {
    client.close();
    await app.close();
  }
});

test('Express and Hono take a guard in line, and Hono then knows the type of c.var.identity', async () => {
  const { check } = newStub();
  const verify: Verifier['verify'] = async (request) => {
    const authorization = [request.headers.get('Authorization') ?? ''];
    const verdict = await check({ authorization, query: '' });
    return verdict.ok ? verdict : { ...verdict, response: new Response('No.', { status: 401 }) };
  };
  const clientIp = (request: forExpress.Request) => request.ip;
  express().get('/:id', forExpress.newGuard({ check }, { clientIp }), (request, response) => {
    response.send(`${forExpress.requireIdentity(request).programId} ${request.params.id}`);
  });
  const app = new Hono();
  app.get('/:id', forHono.newGuard({ verify }), (c) =>
    c.json({ of: c.var.identity.programId, id: c.req.param('id') }),
  );
  app.get('/open/:id', (c) => c.text(forHono.requireIdentity(c).programId));
  app.onError((_error, c) => c.text('failed', 500));
  const call = async (path: string, authorization: string) => {
    const answer = await app.request(path, { headers: { authorization } });
    return [answer.status, await answer.text()];
  };
  assert.deepEqual(await call('/7', 'Bearer good'), [200, '{"of":"program_1","id":"7"}']);
  assert.deepEqual(await call('/7', 'Bearer bad'), [401, 'No.']);
  assert.deepEqual(await call('/open/7', 'Bearer good'), [500, 'failed']);
});

test('what a caller writes of its address is believed only where the guard is told so', async () => {
  const { check, shown } = newStub();
  const forwarded = { authorization: 'Bearer good', 'x-forwarded-for': '192.0.2.7' };
  const onFastify = fastify({ trustProxy: true });
  const fastifyGuards = [{}, { clientIp: (request: FastifyRequest) => request.ip }];
  for (const [n, options] of fastifyGuards.entries()) {
    onFastify.get(`/${n}`, { onRequest: forFastify.newGuard({ check }, options) }, () => 'ok');
  }
  for (const n of [0, 1]) await onFastify.inject({ url: `/${n}`, headers: forwarded });
  await onFastify.close();

  const onExpress = express().set('trust proxy', true);
  const expressGuards = [{}, { clientIp: (request: forExpress.Request) => request.ip }];
  for (const [n, options] of expressGuards.entries()) {
    onExpress.get(`/${n}`, forExpress.newGuard({ check }, options), (_, response) => {
      response.end();
    });
  }
  const server = onExpress.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const n of [0, 1]) {
    await (await fetch(`http://127.0.0.1:${port}/${n}`, { headers: forwarded })).text();
  }
  server.closeAllConnections();
  server.close();
  assert.deepEqual(
    shown.map(({ clientIp }) => clientIp),
    ['127.0.0.1', '192.0.2.7', '127.0.0.1', '192.0.2.7'],
  );
});
