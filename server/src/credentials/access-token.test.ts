import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  newTokenKey,
  type Opened,
  openToken,
  sealToken,
  type TokenClaims,
  type TokenKey,
} from './access-token.ts';
import { checksumOf, withChecksum } from './crc32.ts';
import { deriveTokenKey } from './derive.ts';
import { hmacSha256 } from './hmac.ts';
import { systemRandomness } from './random.ts';

const random = systemRandomness();
const root = random.bytes(32);
const sandbox = { name: 'sandbox', tag: 'test' };
const production = { name: 'production', tag: 'live' };
const key = deriveTokenKey(root, sandbox, 1);
const PREFIX = 'token_test_';

const claims: TokenClaims = {
  client: 7,
  generation: 3,
  secret: 9,
  issuedAtMs: 1_767_225_600_000,
  lifetimeSeconds: 3600,
  scopeSet: 2,
  resource: 1,
};

function lookupOf(of: { name: string; tag: string }, keys: readonly TokenKey[]) {
  const byVersion = new Map(keys.map((known) => [known.version, known]));
  return { tag: of.tag, environment: of.name, key: (version: number) => byVersion.get(version) };
}

const lookup = lookupOf(sandbox, [key]);
const open = (text: string): Opened => openToken(text, lookup);
const why = (opened: Opened): string => (opened.ok ? 'opened' : opened.why);
const seal = (): string => sealToken(key, random.bytes(12), claims);
const bytesOf = (token: string): Buffer => Buffer.from(token.slice(11, -6), 'base64url');
const spell = (bytes: Uint8Array, prefix = PREFIX): string =>
  withChecksum(prefix + Buffer.from(bytes).toString('base64url'));

const anyClaims = fc.record(
  {
    client: fc.integer({ min: 0, max: 0xffff_ffff }),
    generation: fc.integer({ min: 0, max: 0xffff_ffff }),
    secret: fc.integer({ min: 0, max: 0xffff_ffff }),
    issuedAtMs: fc.integer({ min: 0, max: 0xffff_ffff_ffff }),
    lifetimeSeconds: fc.integer({ min: 1, max: 86_400 }),
    scopeSet: fc.integer({ min: 0, max: 0xffff_ffff }),
    resource: fc.integer({ min: 0, max: 0xffff }),
  },
  { noNullPrototype: true },
);
const anyNonce = fc.uint8Array({ minLength: 12, maxLength: 12 });

test('what was sealed opens to the same claims, whatever they are', () => {
  fc.assert(
    fc.property(anyClaims, anyNonce, fc.integer({ min: 1, max: 0xffff }), (any, nonce, version) => {
      const own = deriveTokenKey(root, sandbox, version);
      const token = sealToken(own, nonce, any);
      assert.match(token, /^token_test_[A-Za-z0-9_-]{90}$/);
      const opened = openToken(token, lookupOf(sandbox, [own]));
      const jti = Buffer.from(nonce).toString('base64url');
      assert.deepEqual(opened, {
        ok: true,
        jti,
        nonce: Buffer.from(nonce),
        keyVersion: version,
        claims: any,
      });
    }),
  );
});

test('a token has at most 120 characters, with the longest brand and tag', () => {
  const brand = { client: 'c', secret: 's', token: 'a'.repeat(16) };
  const longest = deriveTokenKey(root, { name: 'sandbox', tag: 'b'.repeat(12), brand }, 1);
  const token = sealToken(longest, random.bytes(12), claims);
  assert.equal(token.length, 120);
  const keys = { ...lookupOf({ name: 'sandbox', tag: 'b'.repeat(12) }, [longest]), brand };
  assert.equal(why(openToken(token, keys)), 'opened');
});

test('each changed bit of each byte is refused, even under a right checksum', () => {
  const bytes = bytesOf(seal());
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << bit;
      const reason = why(open(spell(changed)));
      const expected = at === 0 ? 'malformed' : at < 3 ? 'unknown-key' : 'forged';
      assert.equal(reason, expected, `byte ${at}, bit ${bit}`);
    }
  }
});

test('a changed key version that names another known key is refused', () => {
  const keys = lookupOf(sandbox, [key, deriveTokenKey(root, sandbox, 2)]);
  const bytes = bytesOf(seal());
  bytes[2] = 2;
  assert.equal(why(openToken(spell(bytes), keys)), 'forged');
});

test('each changed character is refused, with the old checksum and with a right one', () => {
  const token = seal();
  for (let at = 0; at < token.length; at++) {
    for (let code = 0; code < 128; code++) {
      const char = String.fromCharCode(code);
      if (char === token[at]) continue;
      const changed = token.slice(0, at) + char + token.slice(at + 1);
      assert.notEqual(why(open(changed)), 'opened', changed);
      if (at >= token.length - 6) continue;
      assert.notEqual(why(open(withChecksum(changed.slice(0, -6)))), 'opened', changed);
    }
  }
});

test('a token has one spelling', () => {
  const token = seal();
  const body = token.slice(PREFIX.length, -6);
  const bodies = [
    `${body}=`,
    `${body}==`,
    `${body.slice(0, -1)}=`,
    body.replaceAll('-', '+').replaceAll('_', '/').concat('='),
    `${body.slice(0, 40)}\n${body.slice(40)}`,
    `${body.slice(0, 40)} ${body.slice(40)}`,
    `${body}A`,
    `${body}AAAA`,
    body.slice(0, -1),
    body.slice(0, -4),
    '',
  ];
  for (const other of bodies) assert.equal(why(open(withChecksum(PREFIX + other))), 'malformed');
  const texts = [
    `${token} `,
    ` ${token}`,
    `${token}\n`,
    `${token}\0`,
    `${token}=`,
    `${token}.`,
    token.toUpperCase(),
    token.toLowerCase(),
    token.slice(6),
    `Token${token.slice(5)}`,
    token + token,
  ];
  for (const other of texts) assert.equal(why(open(other)), 'malformed', other);
});

test('the alphabet of plain base64 is not a second spelling', () => {
  let replaced = 0;
  for (let i = 0; i < 200; i++) {
    const token = seal();
    const body = token.slice(PREFIX.length, -6);
    const plain = body.replaceAll('-', '+').replaceAll('_', '/');
    if (plain === body) continue;
    replaced++;
    assert.equal(why(open(withChecksum(PREFIX + plain))), 'malformed');
  }
  assert.ok(replaced > 0);
});

test('a token cut short anywhere is refused', () => {
  const token = seal();
  for (let length = 0; length < token.length; length++) {
    assert.equal(why(open(token.slice(0, length))), 'malformed');
    // Cutting off the checksum alone and putting it back gives the token again.
    if (length === token.length - 6) continue;
    assert.notEqual(why(open(withChecksum(token.slice(0, length)))), 'opened');
  }
});

test('no text makes opening throw', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ minLength: 90, maxLength: 90 }).map((rest) => PREFIX + rest),
    fc.uint8Array({ minLength: 63, maxLength: 63 }).map((bytes) => spell(bytes)),
    fc
      .uint8Array({ minLength: 60, maxLength: 60 })
      .map((bytes) => spell(Uint8Array.of(1, 0, 1, ...bytes))),
  );
  fc.assert(
    fc.property(text, (any) => !open(any).ok),
    { numRuns: 1000 },
  );
});

test("another environment's token is told by its tag, and its tag proves nothing", () => {
  const live = deriveTokenKey(random.bytes(32), production, 1);
  const token = sealToken(live, random.bytes(12), claims);
  assert.deepEqual(open(token), { ok: false, why: 'other-environment', tag: 'live' });
  assert.equal(why(open(spell(bytesOf(token.replace('live', 'test'))))), 'forged');
  assert.equal(why(open(`${token.slice(0, -6)}000000`)), 'malformed');
});

test('one root key in two environments gives tokens of two environments', () => {
  const token = seal();
  const twin = deriveTokenKey(root, { name: 'sandbox2', tag: 'test' }, 1);
  assert.equal(
    why(openToken(token, lookupOf({ name: 'sandbox2', tag: 'test' }, [twin]))),
    'forged',
  );
  const live = deriveTokenKey(root, production, 1);
  const dressed = spell(bytesOf(token), 'token_live_');
  assert.equal(why(openToken(dressed, lookupOf(production, [live]))), 'forged');
});

test('the name of the environment is under the tag itself, not only in the key', () => {
  const raw = { tagKey: random.bytes(32), maskKey: random.bytes(32) };
  const one = newTokenKey({ environment: 'sandbox', tag: 'test', version: 1 }, raw);
  const two = newTokenKey({ environment: 'sandbox2', tag: 'test', version: 1 }, raw);
  const token = sealToken(one, random.bytes(12), claims);
  const keys = lookupOf({ name: 'sandbox2', tag: 'test' }, [two]);
  assert.equal(why(openToken(token, keys)), 'forged');
});

test('a lookup that answers with a key of another environment opens nothing', () => {
  const live = deriveTokenKey(root, { name: 'production', tag: 'test' }, 1);
  const token = sealToken(live, random.bytes(12), claims);
  assert.equal(why(openToken(token, lookupOf(sandbox, [live]))), 'unknown-key');
});

test('an unknown key version is reported with its number, whoever wrote it', () => {
  const newer = deriveTokenKey(root, sandbox, 513);
  const token = sealToken(newer, random.bytes(12), claims);
  assert.deepEqual(open(token), { ok: false, why: 'unknown-key', keyVersion: 513 });
});

/** A token with a right tag over a payload that `sealToken` refuses to write. */
function sealPayload(edit: (payload: Buffer) => void): string {
  const bytes = bytesOf(seal());
  const mask = hmacSha256(key.maskKey, bytes.subarray(0, 15));
  const payload = bytes.subarray(15, 47);
  for (let i = 0; i < 32; i++) payload[i]! ^= mask[i]!;
  edit(payload);
  for (let i = 0; i < 32; i++) payload[i]! ^= mask[i]!;
  bytes.set(hmacSha256(key.tagKey, bytes.subarray(0, 47)).subarray(0, 16), 47);
  return spell(bytes);
}

test('a reserved byte that is not zero is refused, even under a right tag', () => {
  assert.equal(why(open(sealPayload(() => {}))), 'opened');
  for (let at = 27; at < 32; at++) {
    const token = sealPayload((payload) => {
      payload[at] = 1;
    });
    assert.equal(why(open(token)), 'malformed');
  }
});

test('a lifetime of none or above a day is refused, even under a right tag', () => {
  for (const [seconds, expected] of [
    [0, 'malformed'],
    [1, 'opened'],
    [86_400, 'opened'],
    [86_401, 'malformed'],
    [0xffffff, 'malformed'],
  ] as const) {
    const token = sealPayload((payload) => payload.writeUIntBE(seconds, 18, 3));
    assert.equal(why(open(token)), expected, `${seconds}`);
  }
});

test('nothing wraps: a number without room is refused when sealing', () => {
  const limits = {
    client: 0xffff_ffff,
    generation: 0xffff_ffff,
    secret: 0xffff_ffff,
    issuedAtMs: 0xffff_ffff_ffff,
    lifetimeSeconds: 86_400,
    scopeSet: 0xffff_ffff,
    resource: 0xffff,
  };
  for (const [name, max] of Object.entries(limits)) {
    for (const value of [max + 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const wrong = { ...claims, [name]: value };
      assert.throws(() => sealToken(key, random.bytes(12), wrong), RangeError, `${name} ${value}`);
    }
    assert.equal(why(open(sealToken(key, random.bytes(12), { ...claims, [name]: max }))), 'opened');
  }
  assert.throws(
    () => sealToken(key, random.bytes(12), { ...claims, lifetimeSeconds: 0 }),
    RangeError,
  );
  assert.throws(() => sealToken(key, random.bytes(11), claims), RangeError);
  for (const version of [0, 0x1_0000, 1.5]) {
    assert.throws(() => deriveTokenKey(root, sandbox, version), RangeError);
  }
});

test('a root key of the wrong length and a nameless environment make no key', () => {
  assert.throws(() => deriveTokenKey(random.bytes(31), sandbox, 1), RangeError);
  assert.throws(() => deriveTokenKey(root, { name: '', tag: 'test' }, 1), RangeError);
  const long = 'x'.repeat(256);
  assert.throws(() => deriveTokenKey(root, { name: long, tag: 'test' }, 1), RangeError);
});

test('a hundred thousand tokens are all different, with the same claims', () => {
  const tokens = new Set<string>();
  const payloads = new Set<string>();
  for (let i = 0; i < 100_000; i++) {
    const token = seal();
    tokens.add(token);
    payloads.add(token.slice(PREFIX.length + 20, PREFIX.length + 62));
  }
  assert.equal(tokens.size, 100_000);
  assert.equal(payloads.size, 100_000, 'equal claims show through the mask');
});

test('an opened nonce stays what it was when other tokens are opened', () => {
  const nonce = random.bytes(12);
  const opened = open(sealToken(key, nonce, claims));
  for (let i = 0; i < 100; i++) open(seal());
  assert.ok(opened.ok);
  assert.deepEqual(opened.nonce, nonce);
});

test('a token key prints none of its bytes', () => {
  const printed = inspect(key, { showHidden: true, depth: 9 });
  assert.match(printed, /tagKey: HmacKey \{\}/);
  assert.ok(!printed.includes('Buffer'), printed);
});

test('the checksum stands at the end and covers everything', () => {
  const token = seal();
  assert.equal(token.slice(-6), checksumOf(token.slice(0, -6)));
});
