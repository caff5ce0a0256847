/** The tokens that are committed together, as one flat buffer that crosses threads by transfer; knows no thread and no file. */

import type { IssuedToken } from '../ports/journal.ts';
import { ADDRESS_BYTES, writeAddress } from './address.ts';

const JTI_BYTES = 12;

const HEADER_BYTES = 16;
const RECORD_BYTES = 64;
const RECORD_WORDS = RECORD_BYTES / 4;
const RECORD_FLOATS = RECORD_BYTES / 8;
const FIRST_CAPACITY_RECORDS = 256;
const COUNT_WORD = 2;
/** Where the jti begins, counted from the record's first word of four bytes. */
const JTI_WORD = 6;

/**
 * Views over one buffer. The header holds the wall time (8 bytes) and the count (4); a record holds issued-at (8),
 * client, secret, scope set, resource, lifetime, generation (4 each), jti (12) and address (16), padded to the next
 * eight, in the machine's byte order: the buffer never leaves the process.
 */
export type Batch = {
  readonly buffer: ArrayBuffer;
  readonly floats: Float64Array;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly capacity: number;
};

/** An empty buffer for the first batches; it grows by `growBatch` when a burst needs it. */
export function newBatchBuffer(): ArrayBuffer {
  return new ArrayBuffer(HEADER_BYTES + FIRST_CAPACITY_RECORDS * RECORD_BYTES);
}

export function viewBatch(buffer: ArrayBuffer): Batch {
  return {
    buffer,
    floats: new Float64Array(buffer),
    words: new Uint32Array(buffer),
    bytes: new Uint8Array(buffer),
    capacity: Math.floor((buffer.byteLength - HEADER_BYTES) / RECORD_BYTES),
  };
}

/** The same records with twice the room. The old views are of no use afterwards. */
export function growBatch(batch: Batch): Batch {
  return viewBatch(batch.buffer.transfer(HEADER_BYTES + 2 * batch.capacity * RECORD_BYTES));
}

/** Whether every field fits its place, since typed arrays would wrap what does not. */
export function fitsRecord(token: IssuedToken): boolean {
  return (
    token.jti.length === JTI_BYTES &&
    token.client >>> 0 === token.client &&
    token.generation >>> 0 === token.generation &&
    token.secret >>> 0 === token.secret &&
    token.scopeSet >>> 0 === token.scopeSet &&
    token.resource >>> 0 === token.resource &&
    token.lifetimeSeconds >>> 0 === token.lifetimeSeconds &&
    token.lifetimeSeconds > 0 &&
    Number.isSafeInteger(token.issuedAtMs) &&
    token.issuedAtMs >= 0
  );
}

/** Writes `token` as record `index`; the caller has checked that it fits. */
export function writeRecord(batch: Batch, index: number, token: IssuedToken): void {
  const { words, bytes } = batch;
  batch.floats[HEADER_BYTES / 8 + index * RECORD_FLOATS] = token.issuedAtMs;
  const word = HEADER_BYTES / 4 + index * RECORD_WORDS + 2;
  words[word] = token.client;
  words[word + 1] = token.secret;
  words[word + 2] = token.scopeSet;
  words[word + 3] = token.resource;
  words[word + 4] = token.lifetimeSeconds;
  words[word + 5] = token.generation;
  const jti = token.jti;
  const at = (word + JTI_WORD) * 4;
  // Byte by byte, as `set` costs more than twelve assignments.
  for (let byte = 0; byte < JTI_BYTES; byte += 1) bytes[at + byte] = jti[byte] ?? 0;
  writeAddress(token.address, bytes, at + JTI_BYTES);
}

/** Closes the batch: how many records stand in it and at what wall time it is sent. */
export function sealBatch(batch: Batch, count: number, wallMs: number): void {
  batch.floats[0] = wallMs;
  batch.words[COUNT_WORD] = count;
}

export function batchCount(batch: Batch): number {
  return batch.words[COUNT_WORD] ?? 0;
}

export function batchWallMs(batch: Batch): number {
  return batch.floats[0] ?? 0;
}

/** A record's columns in the order of the table. */
export type Row = [
  issuedAtMs: number,
  lifetimeSeconds: number,
  client: number,
  generation: number,
  secret: number,
  scopeSet: number,
  resource: number,
  jti: Uint8Array,
  address: Uint8Array,
];

export function readRow(batch: Batch, index: number): Row {
  const { words, bytes } = batch;
  const word = HEADER_BYTES / 4 + index * RECORD_WORDS + 2;
  const at = (word + JTI_WORD) * 4;
  return [
    batch.floats[HEADER_BYTES / 8 + index * RECORD_FLOATS] ?? 0,
    words[word + 4] ?? 0,
    words[word] ?? 0,
    words[word + 5] ?? 0,
    words[word + 1] ?? 0,
    words[word + 2] ?? 0,
    words[word + 3] ?? 0,
    bytes.subarray(at, at + JTI_BYTES),
    bytes.subarray(at + JTI_BYTES, at + JTI_BYTES + ADDRESS_BYTES),
  ];
}
