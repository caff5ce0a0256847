/**
 * Access tokens: numbers sealed into opaque text and opened again. Knows no clock, no state and no
 * key but those given.
 */

import { timingSafeEqual } from 'node:crypto';
import { CHECKSUM_LENGTH, endsInChecksum, withChecksum } from './crc32.ts';
import { type HmacKey, prepareHmacKey } from './hmac.ts';
import { type Brand, defaultBrand, prefixOf, tagOfToken } from './identifiers.ts';

export type TokenClaims = {
  readonly client: number;
  readonly generation: number;
  readonly secret: number;
  readonly issuedAtMs: number;
  readonly lifetimeSeconds: number;
  readonly scopeSet: number;
  readonly resource: number;
};

/** One version of an environment's token key. */
export type TokenKey = {
  readonly version: number;
  /** Name of the environment it belongs to. */
  readonly environment: string;
  /** What its tokens begin with: `token_test_`. */
  readonly prefix: string;
  readonly tagKey: HmacKey;
  readonly maskKey: HmacKey;
};

export type TokenKeyLookup = {
  readonly tag: string;
  readonly environment: string;
  readonly brand?: Brand;
  key(version: number): TokenKey | undefined;
};

export type Opened =
  | {
      readonly ok: true;
      /** Base64url of the nonce, 16 characters. */
      readonly jti: string;
      readonly nonce: Buffer;
      readonly keyVersion: number;
      readonly claims: TokenClaims;
    }
  | { readonly ok: false; readonly why: 'malformed' }
  /** Told by the public tag alone. */
  | { readonly ok: false; readonly why: 'other-environment'; readonly tag: string }
  /** Perhaps of a key that this node has not heard of yet. */
  | { readonly ok: false; readonly why: 'unknown-key'; readonly keyVersion: number }
  | { readonly ok: false; readonly why: 'forged' };

/** 24 h: how long an old key, a killed secret or a revoked token must be remembered. */
export const TOKEN_LIFETIME_SECONDS_MAX = 86_400;
const TOKEN_KEY_VERSION_MAX = 0xffff;

/**
 * Version 1, byte by byte: docs/reference/formats.md. 63 bytes are 84 base64url characters with no
 * bit to spare.
 */
const FORMAT_VERSION = 1;
const NONCE_AT = 3;
const NONCE_BYTES = 12;
const PAYLOAD_AT = 15;
const PAYLOAD_BYTES = 32;
const RESERVED_AT = PAYLOAD_AT + 27;
const RESERVED_BYTES = 5;
const TAG_AT = 47;
const TAG_BYTES = 16;
const TOKEN_BYTES = 63;
const BODY_LENGTH = 84;

const U16_MAX = 0xffff;
const U32_MAX = 0xffff_ffff;
const U48_MAX = 0xffff_ffff_ffff;

/** Keeps a tag made for one kind of sealed thing from being taken for that of another. */
const KIND = 'countersign/access-token';

const MALFORMED: Opened = { ok: false, why: 'malformed' };
const FORGED: Opened = { ok: false, why: 'forged' };
const expectedTag = Buffer.alloc(TAG_BYTES);

/** Prepares the two keys of one version of one environment. */
export function newTokenKey(
  of: { environment: string; tag: string; version: number; brand?: Brand },
  raw: { tagKey: Uint8Array; maskKey: Uint8Array },
): TokenKey {
  return {
    version: integer('the key version', of.version, { min: 1, max: TOKEN_KEY_VERSION_MAX }),
    environment: of.environment,
    prefix: prefixOf((of.brand ?? defaultBrand).token, of.tag),
    tagKey: prepareHmacKey(raw.tagKey, tagContext(of.environment)),
    maskKey: prepareHmacKey(raw.maskKey),
  };
}

/**
 * Seals claims under a nonce that is never used twice. Throws RangeError for a number that does not
 * fit.
 */
export function sealToken(key: TokenKey, nonce: Uint8Array, claims: TokenClaims): string {
  if (nonce.length !== NONCE_BYTES) throw new RangeError('a nonce has 12 bytes');
  const bytes = Buffer.allocUnsafe(TOKEN_BYTES);
  bytes[0] = FORMAT_VERSION;
  bytes.writeUInt16BE(key.version, 1);
  bytes.set(nonce, NONCE_AT);
  writeClaims(bytes, claims);
  applyMask(key, bytes);
  bytes.write(key.tagKey.digestOfFirst(bytes, TAG_AT), TAG_AT, TAG_BYTES, 'latin1');
  return withChecksum(key.prefix + bytes.toString('base64url'));
}

/**
 * Opens a token. Whatever cannot be proven to be exactly what `sealToken` wrote is refused, with
 * the reason.
 */
export function openToken(text: string, keys: TokenKeyLookup): Opened {
  const brand = keys.brand ?? defaultBrand;
  const prefix = `${brand.token}_${keys.tag}_`;
  const right = text.length === prefix.length + BODY_LENGTH + CHECKSUM_LENGTH;
  if (!right || !text.startsWith(prefix)) return notOfThisEnvironment(text, brand);
  if (!endsInChecksum(text)) return MALFORMED;

  const body = text.slice(prefix.length, -CHECKSUM_LENGTH);
  const bytes = Buffer.from(body, 'base64url');
  // Node's decoder is lenient (it skips what it does not know): only one spelling decodes back to
  // itself.
  if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== body) return MALFORMED;
  if (bytes[0] !== FORMAT_VERSION) return MALFORMED;

  const keyVersion = bytes.readUInt16BE(1);
  const key = keys.key(keyVersion);
  if (key?.environment !== keys.environment) return { ok: false, why: 'unknown-key', keyVersion };

  expectedTag.write(key.tagKey.digestOfFirst(bytes, TAG_AT), 'latin1');
  if (!timingSafeEqual(bytes.subarray(TAG_AT), expectedTag)) return FORGED;

  applyMask(key, bytes);
  const claims = readClaims(bytes);
  if (claims === undefined) return MALFORMED;
  const nonce = bytes.subarray(NONCE_AT, PAYLOAD_AT);
  // Not cut from the text, though it stands there: a slice would keep the whole live token in
  // memory.
  return { ok: true, jti: nonce.toString('base64url'), nonce, keyVersion, claims };
}

function notOfThisEnvironment(text: string, brand: Brand): Opened {
  const tag = tagOfToken(text, brand);
  return tag === undefined ? MALFORMED : { ok: false, why: 'other-environment', tag };
}

/** Both lengths are given, so that no two (kind, environment, token) read as the same bytes. */
function tagContext(environment: string): Buffer {
  const kind = Buffer.from(KIND);
  const name = Buffer.from(environment);
  integer("the length of an environment's name", name.length, { min: 1, max: 255 });
  return Buffer.concat([Buffer.of(kind.length), kind, Buffer.of(name.length), name]);
}

/** XORs the payload with HMAC(mask key, header and nonce): hides it, or shows it again. */
function applyMask(key: TokenKey, bytes: Buffer): void {
  const mask = key.maskKey.digestOfFirst(bytes, PAYLOAD_AT);
  for (let i = 0; i < PAYLOAD_BYTES; i++) {
    const at = PAYLOAD_AT + i;
    bytes[at] = (bytes[at] ?? 0) ^ mask.charCodeAt(i);
  }
}

/** At absolute places in the token: a view of the payload for each would cost more than its numbers. */
function writeClaims(bytes: Buffer, claims: TokenClaims): void {
  bytes.writeUInt32BE(integer('client', claims.client, { max: U32_MAX }), PAYLOAD_AT);
  bytes.writeUInt32BE(integer('generation', claims.generation, { max: U32_MAX }), PAYLOAD_AT + 4);
  bytes.writeUInt32BE(integer('secret', claims.secret, { max: U32_MAX }), PAYLOAD_AT + 8);
  bytes.writeUIntBE(integer('issuedAtMs', claims.issuedAtMs, { max: U48_MAX }), PAYLOAD_AT + 12, 6);
  const lifetime = { min: 1, max: TOKEN_LIFETIME_SECONDS_MAX };
  bytes.writeUIntBE(
    integer('lifetimeSeconds', claims.lifetimeSeconds, lifetime),
    PAYLOAD_AT + 18,
    3,
  );
  bytes.writeUInt32BE(integer('scopeSet', claims.scopeSet, { max: U32_MAX }), PAYLOAD_AT + 21);
  bytes.writeUInt16BE(integer('resource', claims.resource, { max: U16_MAX }), PAYLOAD_AT + 25);
  bytes.writeUIntBE(0, RESERVED_AT, RESERVED_BYTES);
}

/**
 * Undefined for what `writeClaims` would never have written: a later version's payload, or a fault
 * of our own.
 */
function readClaims(bytes: Buffer): TokenClaims | undefined {
  const lifetimeSeconds = bytes.readUIntBE(PAYLOAD_AT + 18, 3);
  if (lifetimeSeconds < 1 || lifetimeSeconds > TOKEN_LIFETIME_SECONDS_MAX) return undefined;
  if (bytes.readUIntBE(RESERVED_AT, RESERVED_BYTES) !== 0) return undefined;
  return {
    client: bytes.readUInt32BE(PAYLOAD_AT),
    generation: bytes.readUInt32BE(PAYLOAD_AT + 4),
    secret: bytes.readUInt32BE(PAYLOAD_AT + 8),
    issuedAtMs: bytes.readUIntBE(PAYLOAD_AT + 12, 6),
    lifetimeSeconds,
    scopeSet: bytes.readUInt32BE(PAYLOAD_AT + 21),
    resource: bytes.readUInt16BE(PAYLOAD_AT + 25),
  };
}

/** Nothing wraps: a number that has no room is refused, never cut. */
function integer(name: string, value: number, range: { min?: number; max: number }): number {
  const min = range.min ?? 0;
  if (Number.isInteger(value) && value >= min && value <= range.max) return value;
  throw new RangeError(`${name} must be an integer from ${min} to ${range.max}, not ${value}`);
}
