import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import test from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { hmacSha256, prepareHmacKey } from './hmac.ts';

// Without `size` nearly all would be short.
const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' });

test('it is HMAC-SHA-256, for keys and messages of every length', () => {
  fc.assert(
    fc.property(bytes(200), bytes(2000), (key, message) => {
      const expected = createHmac('sha256', key).update(message).digest();
      assert.deepEqual(hmacSha256(prepareHmacKey(key), message), expected);
    }),
  );
});

test('text counts as UTF-8, however long', () => {
  fc.assert(
    fc.property(
      bytes(64),
      fc.string({ unit: 'binary', maxLength: 800, size: 'max' }),
      (key, message) => {
        const expected = createHmac('sha256', key).update(message, 'utf8').digest();
        assert.deepEqual(hmacSha256(prepareHmacKey(key), message), expected);
      },
    ),
  );
});

test('the context is what every message begins with', () => {
  fc.assert(
    fc.property(bytes(64), bytes(300), bytes(600), (key, context, message) => {
      const expected = createHmac('sha256', key).update(context).update(message).digest();
      assert.deepEqual(hmacSha256(prepareHmacKey(key, context), message), expected);
    }),
  );
});

test('a long message leaves nothing behind for a short one', () => {
  const raw = randomBytes(32);
  const key = prepareHmacKey(raw);
  for (const message of ['x'.repeat(170), 'y'.repeat(500), 'z', '', 'é'.repeat(120)]) {
    const expected = createHmac('sha256', raw).update(message).digest();
    assert.deepEqual(hmacSha256(key, message), expected);
    assert.deepEqual(hmacSha256(key, Buffer.from(message)), expected);
  }
});

test('a prepared key prints nothing of itself', () => {
  const key = prepareHmacKey(Buffer.alloc(32, 7));
  hmacSha256(key, 'message');
  assert.equal(inspect(key, { showHidden: true, customInspect: false }), 'HmacKey {}');
  assert.equal(JSON.stringify(key), '{}');
});
