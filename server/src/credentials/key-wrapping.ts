/**
 * The master key: wraps the root keys that stand in the store, and does nothing else. Knows neither
 * store nor purpose.
 */

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';
import type { Randomness } from '../ports/clock.ts';

export const MASTER_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FINGERPRINT_BYTES = 8;
const FORMAT_VERSION = 1;
const NO_SALT = Buffer.alloc(0);
/** Without it Node would accept shortened tags. */
const GCM_OPTIONS = { authTagLength: TAG_BYTES };

/**
 * The master key is missing, unreadable, or not the one the store was made under. The message says
 * what to do.
 */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

/** It can be used but not printed: its bytes are not even kept, only what is derived from them. */
export class MasterKey {
  readonly #wrappingKey: Uint8Array;
  readonly #fingerprint: string;
  readonly #random: Randomness;

  constructor(key: Uint8Array, random: Randomness) {
    if (key.length !== MASTER_KEY_BYTES) throw new RangeError('a master key has 32 bytes');
    this.#random = random;
    this.#wrappingKey = derive(key, 'countersign/master/wrap', 32);
    const check = derive(key, 'countersign/master/fingerprint', FINGERPRINT_BYTES);
    this.#fingerprint = Buffer.from(check).toString('hex');
  }

  /**
   * Encrypts a root key for the store. `name` (`token/sandbox/1`) must be given again to unwrap it.
   */
  wrap(root: Uint8Array, name: string): string {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#wrappingKey, nonce, GCM_OPTIONS);
    cipher.setAAD(Buffer.from(name));
    const sealed = [cipher.update(root), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat([Buffer.of(FORMAT_VERSION), nonce, ...sealed]).toString('base64url');
  }

  /** The root key that was wrapped under this name. Throws MasterKeyError for anything else. */
  unwrap(wrapped: string, name: string): Buffer {
    const bytes = Buffer.from(wrapped, 'base64url');
    const cut = bytes.length - TAG_BYTES;
    if (bytes[0] !== FORMAT_VERSION || cut < 1 + NONCE_BYTES) {
      throw new MasterKeyError(
        `The key ${name} in the store is not in a format this version knows: ` +
          'run the version of Countersign that wrote it, or restore the store from a backup.',
      );
    }
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#wrappingKey, nonce, GCM_OPTIONS);
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(bytes.subarray(cut));
    const root = decipher.update(bytes.subarray(1 + NONCE_BYTES, cut));
    try {
      return Buffer.concat([root, decipher.final()]);
    } catch {
      throw new MasterKeyError(
        `The key ${name} in the store was made under another master key than the one given ` +
          `(fingerprint ${this.#fingerprint}): give the master key this store was created with.`,
      );
    }
  }

  /** 16 hexadecimal characters that tell master keys apart and give nothing away. */
  fingerprint(): string {
    return this.#fingerprint;
  }

  [inspect.custom](): string {
    return `MasterKey(${this.#fingerprint})`;
  }
}

/** Neither use of the key can tell anything about the other, or about the key itself. */
function derive(key: Uint8Array, info: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, NO_SALT, info, length));
}
