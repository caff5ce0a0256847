/**
 * The ids of refused requests: what happened, sealed into text that says nothing to whoever holds it and everything to support. Knows
 * no clock, no state and no key but those given.
 */

import { timingSafeEqual } from 'node:crypto';
import { decodeBase62, encodeBase62 } from './base62.ts';
import { type HmacKey, prepareHmacKey } from './hmac.ts';

/** What a refused request was. 0 stands for what was not known when it was refused. */
export type RefusedRequest = {
  readonly atMs: number;
  /** Number of the reason. */
  readonly reason: number;
  /** Ordinal of the environment that was asked. */
  readonly environment: number;
  /** Number of the endpoint that was asked. */
  readonly endpoint: number;
  /** Ordinal of the client that the request named. */
  readonly client: number;
  /** Ordinal of the secret that it presented, if that is one of the client's. */
  readonly secret: number;
  /** How the node that refused counts its requests: 6 random bytes of its start, then a count. Makes each id the only one. */
  readonly node: Uint8Array;
  readonly count: number;
};

/** One version of the key of request ids. */
export type RequestIdKey = {
  readonly version: number;
  readonly tagKey: HmacKey;
  readonly maskKey: HmacKey;
};

export type OpenedRequestId =
  | { readonly ok: true; readonly request: RefusedRequest }
  | { readonly ok: false; readonly why: 'malformed' | 'forged' }
  | { readonly ok: false; readonly why: 'unknown-key'; readonly keyVersion: number };

/** Byte by byte: docs/reference/formats.md. 50 bytes are ten groups of five, each of seven base62 digits. */
const FORMAT_VERSION = 1;
const PREFIX = 'req_';
const TAG_AT = 3;
const TAG_BYTES = 16;
const PAYLOAD_AT = 19;
const PAYLOAD_BYTES = 31;
const ID_BYTES = 50;
const GROUP_BYTES = 5;
const GROUP_DIGITS = 7;
const GROUP_MAX = 2 ** 40 - 1;
const BODY_LENGTH = (ID_BYTES / GROUP_BYTES) * GROUP_DIGITS;

export const NODE_BYTES = 6;

/** Keeps a tag made for one kind of sealed thing from being taken for that of another. */
const KIND = 'countersign/request-id';
const CONTEXT = Buffer.concat([Buffer.of(KIND.length), Buffer.from(KIND)]);

const MALFORMED: OpenedRequestId = { ok: false, why: 'malformed' };
const FORGED: OpenedRequestId = { ok: false, why: 'forged' };

/** Prepares the two keys of one version. */
export function newRequestIdKey(
  version: number,
  raw: { tagKey: Uint8Array; maskKey: Uint8Array },
): RequestIdKey {
  return {
    version,
    tagKey: prepareHmacKey(raw.tagKey, CONTEXT),
    maskKey: prepareHmacKey(raw.maskKey),
  };
}

/**
 * Seals what happened: the tag is computed over the plain payload, and the mask from the tag. So equal requests alone give equal ids,
 * and no nonce can be used twice.
 */
export function sealRequestId(key: RequestIdKey, request: RefusedRequest): string {
  const bytes = Buffer.alloc(ID_BYTES);
  bytes[0] = FORMAT_VERSION;
  bytes.writeUInt16BE(key.version, 1);
  writePayload(bytes.subarray(PAYLOAD_AT), request);
  bytes.write(tagOf(key, bytes), TAG_AT, TAG_BYTES, 'latin1');
  applyMask(key, bytes);
  let text = PREFIX;
  for (let at = 0; at < ID_BYTES; at += GROUP_BYTES) {
    text += encodeBase62(bytes.readUIntBE(at, GROUP_BYTES), GROUP_DIGITS);
  }
  return text;
}

/** Opens an id with the key of its version. What `sealRequestId` did not write under that very key is refused. */
export function openRequestId(
  text: string,
  keyOf: (version: number) => RequestIdKey | undefined,
): OpenedRequestId {
  const bytes = bytesOf(text);
  if (bytes === undefined || bytes[0] !== FORMAT_VERSION) return MALFORMED;
  const keyVersion = bytes.readUInt16BE(1);
  const key = keyOf(keyVersion);
  if (key?.version !== keyVersion) return { ok: false, why: 'unknown-key', keyVersion };
  applyMask(key, bytes);
  const expected = Buffer.from(tagOf(key, bytes).slice(0, TAG_BYTES), 'latin1');
  if (!timingSafeEqual(bytes.subarray(TAG_AT, PAYLOAD_AT), expected)) return FORGED;
  return { ok: true, request: readPayload(bytes.subarray(PAYLOAD_AT)) };
}

/** The version of the key that an id of the right form names. */
export function keyVersionOfRequestId(text: string): number | undefined {
  return bytesOf(text)?.readUInt16BE(1);
}

function bytesOf(text: string): Buffer | undefined {
  if (!text.startsWith(PREFIX) || text.length !== PREFIX.length + BODY_LENGTH) return undefined;
  const bytes = Buffer.alloc(ID_BYTES);
  for (let group = 0; group < ID_BYTES / GROUP_BYTES; group += 1) {
    const start = PREFIX.length + group * GROUP_DIGITS;
    const value = decodeBase62(text.slice(start, start + GROUP_DIGITS));
    // Seven digits can write more than five bytes: what does not fit is no id, so that each has one spelling.
    if (value === undefined || value > GROUP_MAX) return undefined;
    bytes.writeUIntBE(value, group * GROUP_BYTES, GROUP_BYTES);
  }
  return bytes;
}

/** Over the context, the header and the plain payload. */
function tagOf(key: RequestIdKey, bytes: Buffer): string {
  return key.tagKey.digest(
    Buffer.concat([bytes.subarray(0, TAG_AT), bytes.subarray(PAYLOAD_AT, ID_BYTES)]),
  );
}

/** XORs the payload with HMAC(mask key, header and tag): hides it, or shows it again. */
function applyMask(key: RequestIdKey, bytes: Buffer): void {
  const mask = key.maskKey.digest(bytes.subarray(0, PAYLOAD_AT));
  for (let i = 0; i < PAYLOAD_BYTES; i++) {
    const at = PAYLOAD_AT + i;
    bytes[at] = (bytes[at] ?? 0) ^ mask.charCodeAt(i);
  }
}

function writePayload(payload: Buffer, request: RefusedRequest): void {
  if (request.node.length !== NODE_BYTES) throw new RangeError('the name of a start has 6 bytes');
  payload.writeUIntBE(request.atMs, 0, 6);
  payload.writeUInt16BE(request.reason, 6);
  payload.writeUInt16BE(request.environment, 8);
  payload.writeUInt16BE(request.endpoint, 10);
  payload.writeUInt32BE(request.client, 12);
  payload.writeUInt32BE(request.secret, 16);
  payload.set(request.node, 20);
  payload.writeUIntBE(request.count, 26, 5);
}

function readPayload(payload: Buffer): RefusedRequest {
  return {
    atMs: payload.readUIntBE(0, 6),
    reason: payload.readUInt16BE(6),
    environment: payload.readUInt16BE(8),
    endpoint: payload.readUInt16BE(10),
    client: payload.readUInt32BE(12),
    secret: payload.readUInt32BE(16),
    node: Buffer.from(payload.subarray(20, 26)),
    count: payload.readUIntBE(26, 5),
  };
}
