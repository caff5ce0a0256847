import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsOf, type ServerEvent } from './event-stream.ts';
import { newRemembered } from './remembered.ts';

const identity = (n: number) => ({
  ...{ programId: `program_${n}`, clientId: `client_${n}`, tokenId: `jti_${n}` },
  ...{ scope: new Set<string>(), audience: 'a', expiresAtSeconds: 4e9 },
});
const question = (n: number, clientIp?: string) => ({ token: `token_${n}`, clientIp });

test('what is remembered ends with the token, and holds for the address that it was asked for', () => {
  const remembered = newRemembered();
  remembered.put(question(1, '192.0.2.1'), identity(1), 1_000);
  assert.equal(remembered.get(question(1, '192.0.2.1'), 999)?.clientId, 'client_1');
  assert.equal(remembered.get(question(1, '192.0.2.2'), 999), undefined);
  assert.equal(remembered.get(question(1), 999), undefined);
  assert.equal(remembered.get(question(1, '192.0.2.1'), 1_000), undefined);
  assert.equal(remembered.get(question(1, '192.0.2.1'), 0), undefined, 'it does not come back');
});

test('a program, a client and a token are forgotten by name, and nobody else', () => {
  for (const what of [
    { programs: ['program_1'] },
    { clients: ['client_1'] },
    { tokens: ['jti_1'] },
  ]) {
    const remembered = newRemembered();
    for (const n of [1, 2]) remembered.put(question(n), identity(n), 1_000);
    remembered.forget(what);
    assert.equal(remembered.get(question(1), 0), undefined);
    assert.ok(remembered.get(question(2), 0));
    remembered.forget({ all: true });
    assert.equal(remembered.get(question(2), 0), undefined);
  }
});

test('ten thousand answers are the most; the oldest goes', () => {
  const remembered = newRemembered();
  for (let n = 0; n <= 10_000; n += 1) remembered.put(question(n), identity(n), 1_000);
  assert.equal(remembered.get(question(0), 0), undefined);
  assert.ok(remembered.get(question(1), 0));
  assert.ok(remembered.get(question(10_000), 0));
});

test('events are read however they are cut, and one without end is refused', async () => {
  const text = 'event: hello\nid: i.1.c\ndata: {"a":"ä"}\n\n: comment\n\nevent: x\ndata: 1\n\n';
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size += 1) {
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < bytes.length; from += size) {
      pieces.push(bytes.slice(from, from + size));
    }
    assert.deepEqual(await readAll(pieces), [
      { event: 'hello', id: 'i.1.c', data: '{"a":"ä"}' },
      { event: 'x', id: undefined, data: '1' },
    ]);
  }
  const piece = new TextEncoder().encode('data: x'.repeat(1_000));
  await assert.rejects(readAll(Array.from({ length: 20 }, () => piece)), /too long/);
});

async function readAll(pieces: readonly Uint8Array[]): Promise<readonly ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(ReadableStream.from(pieces))) events.push(event);
  return events;
}
