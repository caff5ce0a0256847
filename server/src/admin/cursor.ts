/** The marks by which a list is continued: opaque, authenticated, and good for the one list that they were made for. */

import { timingSafeEqual } from 'node:crypto';
import { type HmacKey, hmacSha256 } from '../credentials/hmac.ts';
import { invalidRequest, ProblemFound } from './problem.ts';

const VERSION_BYTES = 2;
const PLACE_BYTES = 8;
const TAG_BYTES = 16;
const LENGTH = VERSION_BYTES + TAG_BYTES + PLACE_BYTES;

export type CursorKeys = {
  /** What new ones are made under. */
  readonly newest: () => { readonly version: number; readonly key: HmacKey };
  readonly of: (version: number) => HmacKey | undefined;
};

/** The mark of a place in the list that `list` describes: its operation, its filter and whose it is. */
export function cursorAt(keys: CursorKeys, list: string, place: number): string {
  const { version, key } = keys.newest();
  const placeBytes = Buffer.alloc(PLACE_BYTES);
  placeBytes.writeBigUInt64BE(BigInt(place));
  const tag = tagOf(key, list, placeBytes);
  const versionBytes = Buffer.alloc(VERSION_BYTES);
  versionBytes.writeUInt16BE(version);
  return Buffer.concat([versionBytes, tag, masked(key, tag, placeBytes)]).toString('base64url');
}

/** The place that a mark names. Throws `ProblemFound` for one that was made for another list, or by somebody else. */
export function placeOf(keys: CursorKeys, list: string, cursor: string): number {
  const bytes = Buffer.from(cursor, 'base64url');
  const key = bytes.length === LENGTH ? keys.of(bytes.readUInt16BE(0)) : undefined;
  if (key !== undefined && bytes.toString('base64url') === cursor) {
    const tag = bytes.subarray(VERSION_BYTES, VERSION_BYTES + TAG_BYTES);
    const place = masked(key, tag, bytes.subarray(VERSION_BYTES + TAG_BYTES));
    if (timingSafeEqual(tagOf(key, list, place), tag)) return Number(place.readBigUInt64BE());
  }
  throw new ProblemFound(
    invalidRequest('The cursor is none of this list: begin again without it.', [
      { parameter: 'cursor', detail: 'must be one that this list told, with the same filter' },
    ]),
  );
}

function tagOf(key: HmacKey, list: string, place: Buffer): Buffer {
  const message = Buffer.concat([Buffer.from(`tag\n${list}\n`), place]);
  return hmacSha256(key, message).subarray(0, TAG_BYTES);
}

/** The place is hidden, as it counts what others have: a tag of one place hides it always alike, and no other. */
function masked(key: HmacKey, tag: Buffer, place: Buffer): Buffer {
  const mask = hmacSha256(key, Buffer.concat([Buffer.from('mask\n'), tag]));
  return Buffer.from(place.map((byte, at) => byte ^ (mask[at] ?? 0)));
}
