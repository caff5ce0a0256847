import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeBase62, randomBase62 } from './base62.ts';
import { checksumOf, endsInChecksum, withChecksum } from './crc32.ts';

test('every character comes from the same number of byte values', () => {
  // Each byte value once: the 248 that are kept must give each of the 62 characters 4 times.
  let next = 0;
  const everyByte = {
    bytes: (length: number) => Buffer.from(Array.from({ length }, () => next++ % 256)),
  };
  const counts = new Map<string, number>();
  for (const char of randomBase62(everyByte, 248)) {
    counts.set(char, (counts.get(char) ?? 0) + 1);
  }
  assert.equal(counts.size, 62);
  assert.deepEqual(new Set(counts.values()), new Set([4]));
});

test('bytes that would favour some characters are thrown away and drawn again', () => {
  const draws = [Buffer.of(248, 255, 0), Buffer.of(61, 250), Buffer.of(10)];
  const random = { bytes: () => draws.shift() ?? assert.fail('drew too often') };
  assert.equal(randomBase62(random, 3), '0zA');
});

test('a number is written in exactly the width asked for', () => {
  assert.equal(encodeBase62(0, 6), '000000');
  assert.equal(encodeBase62(61, 2), '0z');
  assert.equal(encodeBase62(62, 2), '10');
  assert.equal(encodeBase62(0xffff_ffff, 6), '4gfFC3');
  assert.throws(() => encodeBase62(62 * 62, 2), RangeError);
});

test('the checksum is the CRC-32 of all before it', () => {
  // 0xCBF43926, the check value that every CRC-32 catalogue gives.
  assert.equal(checksumOf('123456789'), encodeBase62(0xcbf43926, 6));
  assert.ok(endsInChecksum(withChecksum('token_test_abc')));
  assert.ok(endsInChecksum(withChecksum('')));
});

test('text shorter than a checksum, or changed anywhere, does not end in its checksum', () => {
  for (const short of ['', '0', '00000']) assert.ok(!endsInChecksum(short), short);
  const good = withChecksum('token_test_abc');
  for (let at = 0; at < good.length; at++) {
    const changed = `${good.slice(0, at)}!${good.slice(at + 1)}`;
    assert.ok(!endsInChecksum(changed), changed);
  }
});
