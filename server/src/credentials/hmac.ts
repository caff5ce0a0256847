/** HMAC-SHA-256 (RFC 2104) by two one-shot hashes over prepared pads; knows no key's purpose. */

import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Messages up to this size are hashed where the key keeps its pad, without an allocation. */
const IN_PLACE_BYTES = 512;
/** No UTF-16 code unit becomes more UTF-8 bytes than this. */
const UTF8_BYTES_MAX = 3;

/** A key ready for use. It prints as an empty object: the pads are as good as the key. */
export class HmacKey {
  /**
   * The inner pad, the context, then room for a message. Calls are synchronous, so one buffer
   * serves them all.
   */
  readonly #inner: Buffer;
  readonly #messageAt: number;
  /** The pad, the context and the latest message: most messages of one key are of one length, and views are not free. */
  #filled: Buffer;
  /** The outer pad, then room for the inner digest. */
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

  constructor(key: Uint8Array, context: Uint8Array) {
    const block = Buffer.alloc(BLOCK_BYTES);
    block.set(key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key);
    this.#messageAt = BLOCK_BYTES + context.length;
    this.#inner = Buffer.alloc(this.#messageAt + IN_PLACE_BYTES);
    for (const [i, byte] of block.entries()) {
      this.#inner[i] = byte ^ 0x36;
      this.#outer[i] = byte ^ 0x5c;
    }
    this.#inner.set(context, BLOCK_BYTES);
    this.#filled = this.#inner;
    block.fill(0);
  }

  /** The digest as 32 latin1 characters: a Buffer from each hash would cost more than the hash. */
  digest(message: Uint8Array | string): string {
    return this.#digestOf(this.#after(message));
  }

  /** The digest of the first bytes of a short message, without a view of them. */
  digestOfFirst(message: Buffer, length: number): string {
    if (length > IN_PLACE_BYTES) return this.digest(message.subarray(0, length));
    message.copy(this.#inner, this.#messageAt, 0, length);
    return this.#digestOf(this.#upTo(this.#messageAt + length));
  }

  #digestOf(keyedMessage: Buffer): string {
    const inner = hash('sha256', keyedMessage, 'latin1');
    this.#outer.write(inner, BLOCK_BYTES, 'latin1');
    return hash('sha256', this.#outer, 'latin1');
  }

  #after(message: Uint8Array | string): Buffer {
    if (typeof message === 'string') {
      if (message.length * UTF8_BYTES_MAX > IN_PLACE_BYTES)
        return this.#after(Buffer.from(message));
      return this.#upTo(this.#messageAt + this.#inner.write(message, this.#messageAt, 'utf8'));
    }
    if (message.length > IN_PLACE_BYTES) {
      return Buffer.concat([this.#inner.subarray(0, this.#messageAt), message]);
    }
    this.#inner.set(message, this.#messageAt);
    return this.#upTo(this.#messageAt + message.length);
  }

  #upTo(end: number): Buffer {
    if (this.#filled.length !== end) this.#filled = this.#inner.subarray(0, end);
    return this.#filled;
  }
}

/** Prepares a key once, for many messages. Every message is taken to begin with `context`. */
export function prepareHmacKey(key: Uint8Array, context: Uint8Array = Buffer.alloc(0)): HmacKey {
  return new HmacKey(key, context);
}

/** 32 bytes; text counts as UTF-8. */
export function hmacSha256(key: HmacKey, message: Uint8Array | string): Buffer {
  return Buffer.from(key.digest(message), 'latin1');
}
