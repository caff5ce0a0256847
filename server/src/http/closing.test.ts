import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { Answer } from '../endpoints/exchange.ts';
import { listenError } from './listen-address.ts';
import { parseAnswers, post, rawPeer } from './testing/raw-socket.ts';
import { builtListener, testListener } from './testing/test-listener.ts';

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe('closing', () => {
  test('answers what is under way, says that the connection ends, and ends idle ones at once', async (t) => {
    const { opened, open } = gate();
    const POST = (): Promise<Answer> => opened.then(() => ({ status: 200, body: '{"late":1}' }));
    const { port, listener } = await testListener(t, {
      more: [{ path: '/held', methods: { POST } }],
      // Far beyond the test's own patience: nothing may wait for it.
      limits: { drainMsMax: 600_000, keepAliveMs: 600_000 },
    });
    const [busy, idle, fresh] = [rawPeer(port), rawPeer(port), rawPeer(port)];
    idle.send(post('/sandbox/token', 'a=b'));
    await idle.answers(1);
    busy.send(post('/held', 'a=b'));
    while (listener.inFlight() === 0) await new Promise(setImmediate);

    const closed = listener.close();
    await idle.closed;
    await fresh.closed;
    assert.equal(await refusesConnections(port), true);
    assert.equal(busy.received(), '');
    open();
    const text = await busy.closed;
    assert.match(text, /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n[\s\S]*\{"late":1\}$/);
    await closed;
    assert.equal(listener.close(), listener.close());
  });

  test('lets a body that is arriving arrive, and starts nothing behind its answer', async (t) => {
    const { port, listener, seen } = await testListener(t, { limits: { drainMsMax: 600_000 } });
    const peer = rawPeer(port);
    const text = post('/sandbox/token', 'a'.repeat(100));
    peer.send(text.slice(0, -50));
    await delivered(port);
    const closed = listener.close();
    peer.send(text.slice(-50));
    assert.match(await peer.closed, /^HTTP\/1\.1 200 [\s\S]*\{"bytes":100\}$/);
    await closed;
    assert.equal(seen.length, 2);
  });

  test('answers every pipelined request that it began, the last one saying so', async (t) => {
    const { opened, open } = gate();
    const POST = (): Promise<Answer> => opened.then(() => ({ status: 200, body: '{"held":1}' }));
    const { port, listener, seen } = await testListener(t, {
      more: [{ path: '/held', methods: { POST } }],
      limits: { drainMsMax: 600_000 },
    });
    const peer = rawPeer(port);
    peer.send(post('/held', 'a=b') + post('/held', 'a=b') + post('/sandbox/token', 'a=b'));
    while (listener.inFlight() < 2) await new Promise(setImmediate);
    await delivered(port);
    const closed = listener.close();
    peer.send(post('/sandbox/token', 'b=c') + post('/sandbox/token', 'c=d'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    open();
    const answers = parseAnswers(await peer.closed);
    await closed;
    // Those that were decided are those whose answers arrived: no token on record that nobody holds.
    assert.equal(answers.length, seen.length - 1 + 2);
    assert.equal(answers.at(-1)?.headers['connection'], 'close');
    assert.ok(answers.slice(0, -1).every(({ headers }) => headers['connection'] !== 'close'));
  });

  test('cuts what does not end within the limit, and says so', async (t) => {
    const { port, listener, logged } = await testListener(t, {
      more: [{ path: '/stuck', methods: { POST: () => new Promise<Answer>(() => undefined) } }],
      limits: { drainMsMax: 100 },
    });
    const peer = rawPeer(port);
    peer.send(post('/stuck', 'a=b'));
    while (listener.inFlight() === 0) await new Promise(setImmediate);
    await listener.close();
    assert.equal(await peer.closed, '');
    assert.match(logged[0]?.message ?? '', /cut/);
  });
});

test('a peer that asks and asks and never reads is cut', async (t) => {
  const pageBytes = 100_000;
  const { port } = await testListener(t, {
    more: [
      { path: '/page', methods: { POST: () => ({ status: 200, body: 'a'.repeat(pageBytes) }) } },
    ],
    limits: { unreadMsMax: 50 },
  });
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(post('/page', 'a=b').repeat(200));
  await delivered(port);
  await new Promise((resolve) => setTimeout(resolve, 300));
  let received = 0;
  const ended = await new Promise<string>((resolve) => {
    socket.on('error', () => resolve('cut'));
    socket.on('close', () => resolve('cut'));
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
      if (received > 200 * pageBytes) resolve('all arrived');
    });
    socket.resume();
  });
  assert.equal(ended, 'cut');
});

describe('an address that cannot be had', () => {
  test('is named, with what to do, when it is busy', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const { port } = other.address() as { port: number };
    const { listener } = await builtListener();
    await assert.rejects(
      listener.listen({ host: '127.0.0.1', port, option: '--admin-listen' }),
      new RegExp(
        `^Error: Cannot listen on 127\\.0\\.0\\.1:${port}: .*--admin-listen HOST:PORT\\.$`,
      ),
    );
    await listener.close();
  });

  test('is named when this machine does not have it', async () => {
    const { listener } = await builtListener();
    await assert.rejects(
      listener.listen({ host: '203.0.113.77', port: 8080, option: '--listen' }),
      /^Error: Cannot listen on 203\.0\.113\.77:8080: this machine has no such address\. .*--listen/,
    );
  });

  test('is named when this user may not have it', () => {
    const cause = Object.assign(new Error('bind EACCES'), { code: 'EACCES' });
    const error = listenError(cause, { host: '::1', port: 443, option: '--listen' });
    assert.match(
      error.message,
      /^Cannot listen on \[::1\]:443: this user may not\. .*--listen HOST:PORT/,
    );
    assert.equal(error.cause, cause);
  });
});

async function refusesConnections(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => resolve(true));
  socket.on('connect', () => resolve(false));
  const refused = await promise;
  socket.destroy();
  return refused;
}

/** Returns when the server has read what other connections were sent before: it answered one that came later. */
async function delivered(port: number): Promise<void> {
  const later = rawPeer(port);
  later.send(post('/sandbox/token', 'a=b'));
  await later.answers(1);
  later.destroy();
}
