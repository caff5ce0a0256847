/**
 * Recomputes docs/reference/test-vectors.json from its own inputs, straight from the text of
 * formats.md: a second implementation that shares no code with the first. Run it to write the file.
 */

import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  hkdfSync,
  sign,
} from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { TokenClaims } from './access-token.ts';

export const vectorsFile = new URL('../../../docs/reference/test-vectors.json', import.meta.url);

type Vector<Given, Expected> = { readonly given: Given; readonly expected: Expected };

export type KeyOf = { readonly rootHex: string; readonly environment: string; version: number };

export type TestVectors = {
  readonly about: string;
  readonly checksums: readonly Vector<{ text: string }, { checksum: string }>[];
  readonly derivedKeys: readonly Vector<KeyOf & { purpose: string }, DerivedKey>[];
  readonly secretMacs: readonly Vector<KeyOf & { secret: string }, { macHex: string }>[];
  readonly accessTokens: readonly Vector<GivenToken, SealedToken>[];
  readonly refusedTokens: readonly Vector<
    KeyOf & { tag: string; token: string; because: string },
    { why: string }
  >[];
  readonly wrappedKeys: readonly Vector<GivenRoot, WrappedRoot>[];
  /** What the published expressions find in a text, and which of it has a right checksum. */
  readonly scanner: readonly Vector<{ text: string }, { matches: string[]; ours: string[] }>[];
  readonly requestIds: readonly Vector<GivenRequest, SealedRequest>[];
  readonly checkpoints: readonly Vector<GivenCheckpoint, SignedCheckpoint>[];
};

type DerivedKey = { info: string; keyHex: string };
type GivenToken = KeyOf & { tag: string; nonceHex: string; claims: TokenClaims };
type SealedToken = {
  jti: string;
  payloadHex: string;
  maskHex: string;
  maskedHex: string;
  taggedHex: string;
  tagHex: string;
  token: string;
};
type GivenRequest = KeyOf & {
  request: {
    atMs: number;
    reason: number;
    environment: number;
    endpoint: number;
    client: number;
    secret: number;
    nodeHex: string;
    count: number;
  };
};
type SealedRequest = { payloadHex: string; tagHex: string; maskHex: string; id: string };
type GivenRoot = { masterKeyHex: string; name: string; rootHex: string; nonceHex: string };
type WrappedRoot = { fingerprint: string; wrapped: string };
/** The first key pair of RFC 8032 §7.1. */
type GivenCheckpoint = {
  seedHex: string;
  publicKeyHex: string;
  sequence: number;
  hash: string;
  at: string;
  incarnation: string;
};
type SignedCheckpoint = { publicKey: string; keyId: string; text: string; signature: string };

export function readVectors(): TestVectors {
  return JSON.parse(readFileSync(vectorsFile, 'utf8'));
}

/** The same inputs with every output computed anew. Refused tokens are inputs through and through. */
export function recompute(vectors: TestVectors): TestVectors {
  return {
    about: vectors.about,
    checksums: vectors.checksums.map(({ given }) => ({
      given,
      expected: { checksum: checksum(given.text) },
    })),
    derivedKeys: vectors.derivedKeys.map(({ given }) => ({
      given,
      expected: { info: infoOf(given, given.purpose), keyHex: hex(derived(given, given.purpose)) },
    })),
    secretMacs: vectors.secretMacs.map(({ given }) => {
      const mac = hmac(derived(given, 'secret-pepper'), Buffer.from(given.secret, 'utf8'));
      return { given, expected: { macHex: hex(mac) } };
    }),
    accessTokens: vectors.accessTokens.map(({ given }) => ({ given, expected: sealed(given) })),
    refusedTokens: vectors.refusedTokens,
    wrappedKeys: vectors.wrappedKeys.map(({ given }) => ({ given, expected: wrapped(given) })),
    scanner: vectors.scanner.map(({ given }) => ({ given, expected: scanned(given.text) })),
    requestIds: vectors.requestIds.map(({ given }) => ({ given, expected: sealedId(given) })),
    checkpoints: vectors.checkpoints.map(({ given }) => ({ given, expected: signed(given) })),
  };
}

function sealed(given: GivenToken): SealedToken {
  const { claims } = given;
  const header = Buffer.concat([
    bigEndian(1, 1),
    bigEndian(given.version, 2),
    unhex(given.nonceHex),
  ]);
  const payload = Buffer.concat([
    bigEndian(claims.client, 4),
    bigEndian(claims.generation, 4),
    bigEndian(claims.secret, 4),
    bigEndian(claims.issuedAtMs, 6),
    bigEndian(claims.lifetimeSeconds, 3),
    bigEndian(claims.scopeSet, 4),
    bigEndian(claims.resource, 2),
    bigEndian(0, 5),
  ]);
  const mask = hmac(derived(given, 'token-mask'), header);
  const masked = Buffer.from(payload.map((byte, i) => byte ^ mask.readUInt8(i)));
  const tagged = Buffer.concat([
    bigEndian(24, 1),
    Buffer.from('countersign/access-token'),
    bigEndian(Buffer.byteLength(given.environment), 1),
    Buffer.from(given.environment),
    header,
    masked,
  ]);
  const tag = hmac(derived(given, 'token-tag'), tagged).subarray(0, 16);
  const body = Buffer.concat([header, masked, tag]).toString('base64url');
  const unchecked = `token_${given.tag}_${body}`;
  return {
    jti: unhex(given.nonceHex).toString('base64url'),
    payloadHex: hex(payload),
    maskHex: hex(mask),
    maskedHex: hex(masked),
    taggedHex: hex(tagged),
    tagHex: hex(tag),
    token: unchecked + checksum(unchecked),
  };
}

function wrapped(given: GivenRoot): WrappedRoot {
  const master = unhex(given.masterKeyHex);
  const key = hkdf(master, 'countersign/master/wrap', 32);
  const cipher = createCipheriv('aes-256-gcm', key, unhex(given.nonceHex));
  cipher.setAAD(Buffer.from(given.name));
  const ciphertext = Buffer.concat([cipher.update(unhex(given.rootHex)), cipher.final()]);
  const parts = [bigEndian(1, 1), unhex(given.nonceHex), ciphertext, cipher.getAuthTag()];
  return {
    fingerprint: hex(hkdf(master, 'countersign/master/fingerprint', 8)),
    wrapped: Buffer.concat(parts).toString('base64url'),
  };
}

/** With the expressions as they stand in formats.md. */
function scanned(text: string): { matches: string[]; ours: string[] } {
  const page = readFileSync(new URL('formats.md', vectorsFile), 'utf8');
  const expressions = [...page.matchAll(/^ {4}(\\b(?:secret|token)_.+)$/gm)].map(
    ([, it = '']) => it,
  );
  if (expressions.length !== 2) throw new Error('formats.md has two expressions for scanners');
  const matches = expressions.flatMap((it) => text.match(new RegExp(it, 'g')) ?? []);
  const isOurs = (found: string): boolean => checksum(found.slice(0, -6)) === found.slice(-6);
  return { matches, ours: matches.filter(isOurs) };
}

function sealedId(given: GivenRequest): SealedRequest {
  const { request } = given;
  const header = Buffer.concat([bigEndian(1, 1), bigEndian(given.version, 2)]);
  const payload = Buffer.concat([
    bigEndian(request.atMs, 6),
    bigEndian(request.reason, 2),
    bigEndian(request.environment, 2),
    bigEndian(request.endpoint, 2),
    bigEndian(request.client, 4),
    bigEndian(request.secret, 4),
    unhex(request.nodeHex),
    bigEndian(request.count, 5),
  ]);
  const context = Buffer.concat([bigEndian(22, 1), Buffer.from('countersign/request-id')]);
  const tagged = Buffer.concat([context, header, payload]);
  const tag = hmac(derived(given, 'request-id-tag'), tagged).subarray(0, 16);
  const mask = hmac(derived(given, 'request-id-mask'), Buffer.concat([header, tag])).subarray(
    0,
    31,
  );
  const masked = Buffer.from(payload.map((byte, i) => byte ^ mask.readUInt8(i)));
  const bytes = hex(Buffer.concat([header, tag, masked]));
  const groups = bytes.match(/.{10}/g) ?? [];
  return {
    payloadHex: hex(payload),
    tagHex: hex(tag),
    maskHex: hex(mask),
    id: `req_${groups.map((group) => base62(BigInt(`0x${group}`), 7)).join('')}`,
  };
}

function signed(given: GivenCheckpoint): SignedCheckpoint {
  const publicKey = unhex(given.publicKeyHex).toString('base64url');
  const d = unhex(given.seedHex).toString('base64url');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey, d };
  const keyId = createHash('sha256').update(unhex(given.publicKeyHex)).digest('hex').slice(0, 16);
  const { sequence, hash, at, incarnation } = given;
  const text = `countersign audit checkpoint 1\n${sequence}\n${hash}\n${at}\n${incarnation}\n${keyId}\n`;
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return {
    publicKey,
    keyId,
    text,
    signature: sign(null, Buffer.from(text), key).toString('base64url'),
  };
}

function infoOf(of: KeyOf, purpose: string): string {
  return `countersign/${purpose}/${of.version}/${of.environment}`;
}

function derived(of: KeyOf, purpose: string): Buffer {
  return hkdf(unhex(of.rootHex), infoOf(of, purpose), 32);
}

function hkdf(key: Buffer, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', info, length));
}

function hmac(key: Buffer, message: Buffer): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

/** CRC-32 bit by bit (reflected, polynomial 0xEDB88320), written as six base62 digits. */
function checksum(text: string): string {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return base62(BigInt((crc ^ 0xffffffff) >>> 0), 6);
}

function base62(value: bigint, width: number): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let rest = value;
  let written = '';
  for (let i = 0; i < width; i++, rest /= 62n) {
    written = digits.charAt(Number(rest % 62n)) + written;
  }
  return written;
}

function bigEndian(value: number, bytes: number): Buffer {
  return unhex(value.toString(16).padStart(bytes * 2, '0'));
}

function unhex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

if (import.meta.main) {
  writeFileSync(vectorsFile, `${JSON.stringify(recompute(readVectors()), undefined, 2)}\n`);
}
