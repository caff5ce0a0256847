import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { openToken, sealToken } from './access-token.ts';
import { checkpointText, isSignedBy, signCheckpoint } from './checkpoint.ts';
import { checksumOf } from './crc32.ts';
import { derivePepper, deriveRequestIdKey, deriveTokenKey } from './derive.ts';
import {
  newClientId,
  newProgramId,
  newSecret,
  newSecretId,
  tagOfSecret,
  tagOfToken,
} from './identifiers.ts';
import { MasterKey } from './key-wrapping.ts';
import { systemRandomness } from './random.ts';
import { openRequestId, sealRequestId } from './request-id.ts';
import { macOfSecret } from './secret-hash.ts';
import { type KeyOf, readVectors, recompute, vectorsFile } from './test-vectors.ts';

const vectors = readVectors();
const formats = readFileSync(new URL('formats.md', vectorsFile), 'utf8');
const unhex = (text: string) => Buffer.from(text, 'hex');

function keysOf(of: KeyOf & { tag: string }) {
  const environment = { name: of.environment, tag: of.tag };
  const key = deriveTokenKey(unhex(of.rootHex), environment, of.version);
  const lookup = {
    environment: of.environment,
    tag: of.tag,
    key: (version: number) => (version === of.version ? key : undefined),
  };
  return { key, lookup };
}

test('every published vector follows from its inputs, by a second implementation', () => {
  assert.deepEqual(vectors, recompute(vectors));
});

test('checksums are as published', () => {
  assert.ok(vectors.checksums.length > 0);
  for (const { given, expected } of vectors.checksums) {
    assert.equal(checksumOf(given.text), expected.checksum);
  }
});

test('what is kept of a secret is as published', () => {
  assert.ok(vectors.secretMacs.length > 0);
  for (const { given, expected } of vectors.secretMacs) {
    const pepper = derivePepper(unhex(given.rootHex), given.environment, given.version);
    assert.equal(macOfSecret(pepper, given.secret).toString('hex'), expected.macHex);
    assert.notEqual(tagOfSecret(given.secret), undefined);
  }
});

test('ids of refused requests are sealed and opened as published', () => {
  assert.ok(vectors.requestIds.length > 0);
  for (const { given, expected } of vectors.requestIds) {
    const key = deriveRequestIdKey(unhex(given.rootHex), given.environment, given.version);
    const { nodeHex, ...rest } = given.request;
    const request = { ...rest, node: unhex(nodeHex) };
    assert.equal(sealRequestId(key, request), expected.id);
    assert.deepEqual(
      openRequestId(expected.id, () => key),
      { ok: true, request },
    );
  }
});

const expressions = [...formats.matchAll(/^ {4}(\\b(?:secret|token)_.+)$/gm)].map(
  ([, expression = '']) => expression,
);
const found = (text: string): readonly string[] =>
  expressions.flatMap((it) => text.match(new RegExp(it, 'g')) ?? []);

test('the published expressions find every secret and token that is made, in any surroundings', () => {
  assert.equal(expressions.length, 2);
  const random = systemRandomness();
  const { key } = keysOf({ ...(vectors.accessTokens[0] ?? assert.fail()).given, tag: 'test' });
  for (let n = 0; n < 300; n += 1) {
    const secret = newSecret(random, n % 2 === 0 ? 'test' : 'abcdefghijkl').reveal();
    const { claims } = (vectors.accessTokens[0] ?? assert.fail()).given;
    const token = sealToken(key, random.bytes(12), claims);
    for (const text of [secret, token]) {
      for (const around of [
        `${text}`,
        `x="${text}"`,
        `\n${text}\n`,
        `?a=${text}&b=`,
        `:${text}.`,
      ]) {
        assert.deepEqual(found(around), [text], around);
      }
    }
  }
});

test('a scanner tells broken checksums and near misses from what was made', () => {
  const verdicts = vectors.scanner.map(({ expected }) => expected);
  assert.ok(verdicts.some(({ matches, ours }) => matches.length > ours.length));
  assert.ok(verdicts.some(({ matches }) => matches.length === 0));
  for (const { given, expected } of vectors.scanner) {
    assert.deepEqual(found(given.text), expected.matches, given.text);
    for (const match of expected.matches) {
      const isOurs = (tagOfSecret(match) ?? tagOfToken(match)) !== undefined;
      assert.equal(isOurs, expected.ours.includes(match), match);
    }
  }
});

test('tokens are sealed and opened as published', () => {
  assert.ok(vectors.accessTokens.length > 0);
  for (const { given, expected } of vectors.accessTokens) {
    const { key, lookup } = keysOf(given);
    const nonce = unhex(given.nonceHex);
    assert.equal(sealToken(key, nonce, given.claims), expected.token);
    assert.equal(tagOfToken(expected.token), given.tag);
    assert.deepEqual(openToken(expected.token, lookup), {
      ok: true,
      jti: expected.jti,
      nonce,
      keyVersion: given.version,
      claims: given.claims,
    });
  }
});

test('tokens are refused for the published reasons, and every reason has a vector', () => {
  const reasons = new Set<string>();
  for (const { given, expected } of vectors.refusedTokens) {
    const opened = openToken(given.token, keysOf(given).lookup);
    assert.equal(opened.ok ? 'opened' : opened.why, expected.why, given.because);
    reasons.add(expected.why);
  }
  assert.deepEqual([...reasons].sort(), [
    'forged',
    'malformed',
    'other-environment',
    'unknown-key',
  ]);
});

test('root keys are wrapped as published', () => {
  assert.ok(vectors.wrappedKeys.length > 0);
  for (const { given, expected } of vectors.wrappedKeys) {
    const random = { bytes: () => unhex(given.nonceHex) };
    const master = new MasterKey(unhex(given.masterKeyHex), random);
    assert.equal(master.fingerprint(), expected.fingerprint);
    assert.equal(master.wrap(unhex(given.rootHex), given.name), expected.wrapped);
    assert.deepEqual(master.unwrap(expected.wrapped, given.name), unhex(given.rootHex));
  }
});

test('the worked example of formats.md is the first published token', () => {
  const written = formats.replaceAll(' ', '');
  const [first] = vectors.accessTokens;
  assert.ok(first !== undefined);
  const { taggedHex: _, ...shown } = first.expected;
  for (const [name, value] of Object.entries(shown)) assert.ok(written.includes(value), name);
});

test('the regular expressions of formats.md fit what is made, and nothing longer', () => {
  const random = systemRandomness();
  const made = [
    newClientId(random, 'test'),
    newSecret(random, 'test').reveal(),
    vectors.accessTokens[0]?.expected.token ?? '',
    newProgramId(random),
    newSecretId(random),
  ];
  const published = [...formats.matchAll(/^\| [^|]+ \| `[^`]+` \| `(.+)` \|$/gm)].map(
    (row) => row[1],
  );
  assert.equal(published.length, made.length);
  for (const [i, text] of made.entries()) {
    const whole = new RegExp(`^(?:${published[i]})$`);
    assert.match(text, whole);
    assert.doesNotMatch(`${text}0`, whole);
  }
});

test('checkpoints are signed and checked as published', () => {
  assert.ok(vectors.checkpoints.length > 0);
  for (const { given, expected } of vectors.checkpoints) {
    const { sequence, hash, at, incarnation } = given;
    const unsigned = { sequence, hash, atMs: Date.parse(at), incarnation };
    const checkpoint = signCheckpoint(unhex(given.seedHex), unsigned);
    const { keyId, publicKey, signature, text } = expected;
    assert.deepEqual(checkpoint, { ...unsigned, keyId, signature });
    assert.equal(checkpointText(checkpoint), text);
    assert.equal(isSignedBy(publicKey, checkpoint), true);
    for (const other of [
      { ...checkpoint, sequence: sequence + 1 },
      { ...checkpoint, hash: hash.replace('e', 'f') },
      { ...checkpoint, atMs: checkpoint.atMs + 1 },
      { ...checkpoint, incarnation: `${incarnation}x` },
      { ...checkpoint, keyId: keyId.replace('2', '3') },
      { ...checkpoint, signature: `${signature.slice(0, -2)}AA` },
      { ...checkpoint, signature: '' },
    ]) {
      assert.equal(isSignedBy(publicKey, other), false);
    }
  }
});
