import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { Sink } from '../replica/subscriptions.ts';
import { rawPeer } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';

const GET = 'GET /stream HTTP/1.1\r\nHost: x\r\n\r\n';

function streaming() {
  const sinks: Sink[] = [];
  const stream = (sink: Sink): void => void sinks.push(sink);
  const handler = () => ({
    status: 200,
    headers: { 'Content-Type': 'text/event-stream' },
    body: '',
    stream,
  });
  return { sinks, more: [{ path: '/stream', methods: { GET: handler } }] };
}

const until = async (holds: () => boolean): Promise<void> => {
  const deadlineMs = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, `never: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

test('an answer that goes on is sent piece by piece, holds no place among requests, and ends with the listener', async (t) => {
  const { sinks, more } = streaming();
  const { port, listener } = await testListener(t, { more, limits: { drainMsMax: 600_000 } });
  const peer = rawPeer(port);
  peer.send(GET);
  await until(() => sinks.length === 1);
  await until(() => peer.received().startsWith('HTTP/1.1 200 '));
  assert.doesNotMatch(peer.received(), /content-length/i);
  assert.equal(listener.inFlight(), 0);
  assert.equal(sinks[0]?.write('data: 1\n\n'), true);
  await until(() => peer.received().includes('data: 1\n\n'));
  let isClosed = false;
  sinks[0]?.onClose(() => {
    isClosed = true;
  });
  await listener.close();
  await peer.closed;
  await until(() => isClosed);
  assert.equal(sinks[0]?.write('data: 2\n\n'), false);
});

test('a reader that does not read is cut off, at a bound', async (t) => {
  const { sinks, more } = streaming();
  const { port } = await testListener(t, { more });
  const deaf = connect(port, '127.0.0.1');
  t.after(() => deaf.destroy());
  deaf.on('error', () => {});
  deaf.pause();
  deaf.write(GET);
  await until(() => sinks.length === 1);
  const piece = 'x'.repeat(64 * 1024);
  let written = 0;
  while (sinks[0]?.write(piece) === true) {
    written += 1;
    assert.ok(written < 1_000, 'what nobody reads is kept without bound');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(sinks[0]?.write('x'), false);
});

test('HEAD of such an answer ends at once', async (t) => {
  const { sinks, more } = streaming();
  const { port } = await testListener(t, { more });
  const peer = rawPeer(port);
  peer.send(GET.replace('GET', 'HEAD'));
  peer.send('GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(await peer.closed, /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 404 /);
  assert.equal(sinks.length, 0);
});
