import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, rawPeer } from './testing/raw-socket.ts';
import { testListener } from './testing/test-listener.ts';

const long = {
  path: '/alerts',
  bodyBytesMax: 20_000,
  methods: { POST: () => ({ status: 200, body: '{"taken":true}' }) },
};

test('a route may take longer bodies than the others, up to a bound of its own', async (t) => {
  const { port } = await testListener(t, { more: [long] });
  const statusOf = async (path: string, bytes: number): Promise<number | undefined> => {
    const peer = rawPeer(port);
    peer.send(post(path, 'a'.repeat(bytes)));
    const [answer] = await peer.answers(1);
    peer.destroy();
    return answer?.status;
  };
  assert.equal(await statusOf('/alerts', 19_000), 200);
  assert.equal(await statusOf('/alerts', 21_000), 413);
  assert.equal(await statusOf('/sandbox/token', 19_000), 413);
});

test('so many long bodies are read at once and no more, and nobody else notices', async (t) => {
  const limits = { longBodiesMax: 2, arrivalMsMax: 30_000 };
  const { port } = await testListener(t, { more: [long], limits });
  const open = 'POST /alerts HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';
  const slow = [rawPeer(port), rawPeer(port)];
  for (const peer of slow) peer.send(open);
  const ask = async (path: string): Promise<number | undefined> => {
    const peer = rawPeer(port);
    peer.send(post(path, 'a=b'));
    const [answer] = await peer.answers(1);
    peer.destroy();
    return answer?.status;
  };
  // The two have no answer to wait for: they are in their places once a third is turned away.
  let status: number | undefined;
  for (let tries = 0; tries < 200 && status !== 503; tries += 1) status = await ask('/alerts');
  assert.equal(status, 503);
  assert.equal(await ask('/sandbox/token'), 200);
  slow[0]?.destroy();
  for (let tries = 0; tries < 200 && status !== 200; tries += 1) status = await ask('/alerts');
  assert.equal(status, 200, 'a place is free again when its sender is gone');
  slow[1]?.send('0123456789');
  const [answer] = (await slow[1]?.answers(1)) ?? [];
  assert.equal(answer?.status, 200);
  for (let tries = 0; tries < 10; tries += 1) assert.equal(await ask('/alerts'), 200);
  slow[1]?.destroy();
});
