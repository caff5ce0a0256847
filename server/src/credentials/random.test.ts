import assert from 'node:assert/strict';
import test from 'node:test';
import { systemRandomness } from './random.ts';

test('no bytes are handed out twice, across many refills and every size', () => {
  const random = systemRandomness();
  const seen = new Set<string>();
  for (let i = 0; i < 20_000; i++) seen.add(random.bytes(12).toString('hex'));
  assert.equal(seen.size, 20_000);
  for (const length of [0, 1, 4095, 4096, 4097, 10_000]) {
    assert.equal(random.bytes(length).length, length);
  }
});

test('handed-out bytes stay what they were when the pool moves on', () => {
  const random = systemRandomness();
  const first = random.bytes(32);
  const copy = Buffer.from(first);
  for (let i = 0; i < 1000; i++) random.bytes(32);
  assert.deepEqual(first, copy);
  assert.notDeepEqual(first, Buffer.alloc(32));
});

test('a length that is none is refused and leaves the pool intact', () => {
  const random = systemRandomness();
  for (const length of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY]) {
    assert.throws(() => random.bytes(length), RangeError);
  }
  assert.notDeepEqual(random.bytes(16), Buffer.alloc(16));
  assert.notDeepEqual(random.bytes(16), random.bytes(16));
});

test('no draw overlaps the one before it, whose bytes are wiped by then', () => {
  const random = systemRandomness();
  const first = Array.from({ length: 10_000 }, () => random.bytes(3).readUInt8(0));
  const last = Array.from({ length: 10_000 }, () => random.bytes(3).readUInt8(2));
  for (const bytes of [first, last]) {
    const zeros = bytes.filter((byte) => byte === 0).length;
    // 39 are expected; 120 would be 13 standard deviations away.
    assert.ok(zeros < 120, `${zeros} of 10,000 bytes are zero`);
  }
});
