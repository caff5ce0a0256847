import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deriveRequestIdKey } from './derive.ts';
import {
  keyVersionOfRequestId,
  openRequestId,
  type RefusedRequest,
  sealRequestId,
} from './request-id.ts';

const root = Buffer.from(Array.from({ length: 32 }, (_, byte) => byte));
const key = deriveRequestIdKey(root, 'sandbox', 1);
const other = deriveRequestIdKey(Buffer.alloc(32, 7), 'sandbox', 1);
const keyOf = (version: number) => (version === 1 ? key : undefined);

const refused: RefusedRequest = {
  atMs: 1_767_225_600_000,
  reason: 3,
  environment: 2,
  endpoint: 1,
  client: 41,
  secret: 77,
  node: Buffer.from('5f0c93aa01be', 'hex'),
  count: 71,
};

const anyRequest = fc.record(
  {
    atMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    reason: fc.integer({ min: 0, max: 0xffff }),
    environment: fc.integer({ min: 0, max: 0xffff }),
    endpoint: fc.integer({ min: 0, max: 0xffff }),
    client: fc.integer({ min: 0, max: 0xffff_ffff }),
    secret: fc.integer({ min: 0, max: 0xffff_ffff }),
    node: fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    count: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
  },
  { noNullPrototype: true },
);

test('what was sealed is opened again, whatever it was, and every id has one length and one alphabet', () => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      const id = sealRequestId(key, request);
      assert.match(id, /^req_[0-9A-Za-z]{70}$/);
      assert.deepEqual(openRequestId(id, keyOf), { ok: true, request });
    }),
  );
});

test('an id tells nothing: two of one request but its count have nothing in common beyond what names the key', () => {
  const ids = Array.from({ length: 200 }, (_, count) => sealRequestId(key, { ...refused, count }));
  assert.equal(new Set(ids).size, ids.length);
  const fixed = [...(ids[0] ?? '')].findIndex((character, at) =>
    ids.some((id) => id[at] !== character),
  );
  assert.ok(fixed <= 'req_'.length + 7, `the first ${fixed} characters are always the same`);
});

test('an id with any one character changed, cut or added is refused', () => {
  const id = sealRequestId(key, refused);
  for (let at = 0; at < id.length; at += 1) {
    for (const character of ['0', 'z', '-', '_', 'é']) {
      if (id[at] === character) continue;
      const opened = openRequestId(id.slice(0, at) + character + id.slice(at + 1), keyOf);
      assert.equal(opened.ok, false, `at ${at}`);
    }
  }
  for (const text of ['', id.slice(0, -1), `${id}0`, ` ${id}`, id.toUpperCase(), id.slice(4)]) {
    assert.deepEqual(openRequestId(text, keyOf), { ok: false, why: 'malformed' });
  }
});

test('no other text than the one that was sealed opens: groups of digits above five bytes are refused', () => {
  const id = sealRequestId(key, refused);
  const tooLarge = `req_zzzzzzz${id.slice(11)}`;
  assert.deepEqual(openRequestId(tooLarge, keyOf), { ok: false, why: 'malformed' });
});

test('an id of another root is forged, one of another version is of an unknown key', () => {
  assert.deepEqual(openRequestId(sealRequestId(other, refused), keyOf), {
    ok: false,
    why: 'forged',
  });
  const later = sealRequestId(deriveRequestIdKey(root, 'sandbox', 2), refused);
  assert.equal(keyVersionOfRequestId(later), 2);
  assert.deepEqual(openRequestId(later, keyOf), { ok: false, why: 'unknown-key', keyVersion: 2 });
  // Whatever version a look-up hands out, it is used for ids that name it alone.
  assert.equal(openRequestId(later, () => key).ok, false);
});

test('keys of two environments or versions have nothing in common', () => {
  const ids = [key, deriveRequestIdKey(root, 'production', 1)].map((one) =>
    sealRequestId(one, refused),
  );
  assert.notEqual(ids[0], ids[1]);
});
