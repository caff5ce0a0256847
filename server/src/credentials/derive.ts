/**
 * Derives every working key from a root key: one HKDF info for each purpose, version and
 * environment.
 */

import { hkdfSync } from 'node:crypto';
import { newTokenKey, type TokenKey } from './access-token.ts';
import { type HmacKey, prepareHmacKey } from './hmac.ts';
import type { Brand } from './identifiers.ts';
import { newRequestIdKey, type RequestIdKey } from './request-id.ts';

export const ROOT_KEY_BYTES = 32;
const DERIVED_KEY_BYTES = 32;
const NO_SALT = Buffer.alloc(0);

/** The key of the keyed hash over client secrets, of one environment and version. */
export type Pepper = HmacKey;

export type TokenEnvironment = {
  readonly name: string;
  readonly tag: string;
  readonly brand?: Brand;
};

export function deriveTokenKey(
  root: Uint8Array,
  environment: TokenEnvironment,
  version: number,
): TokenKey {
  const of = { environment: environment.name, version };
  return newTokenKey(
    { ...environment, ...of },
    {
      tagKey: deriveKey(root, { ...of, purpose: 'token-tag' }),
      maskKey: deriveKey(root, { ...of, purpose: 'token-mask' }),
    },
  );
}

export function derivePepper(root: Uint8Array, environment: string, version: number): Pepper {
  return prepareHmacKey(deriveKey(root, { purpose: 'secret-pepper', environment, version }));
}

/** The key of request ids, made from the root of an environment's secrets, which no restore replaces and nothing retires soon. */
export function deriveRequestIdKey(
  root: Uint8Array,
  environment: string,
  version: number,
): RequestIdKey {
  const of = { environment, version };
  return newRequestIdKey(version, {
    tagKey: deriveKey(root, { ...of, purpose: 'request-id-tag' }),
    maskKey: deriveKey(root, { ...of, purpose: 'request-id-mask' }),
  });
}

/** The key of the marks that a list is continued by. */
export function deriveCursorKey(root: Uint8Array, environment: string, version: number): HmacKey {
  return prepareHmacKey(deriveKey(root, { purpose: 'list-cursor', environment, version }));
}

/** Key of the hashes over the codes and passphrases of claims. */
export function deriveClaimKey(root: Uint8Array, environment: string, version: number): HmacKey {
  return prepareHmacKey(deriveKey(root, { purpose: 'claim', environment, version }));
}

/**
 * The environment stands last, because it alone may hold any character: no two infos are the same.
 */
function deriveKey(
  root: Uint8Array,
  of: { purpose: string; environment: string; version: number },
): Uint8Array {
  if (root.length !== ROOT_KEY_BYTES) throw new RangeError('a root key has 32 bytes');
  if (!Number.isSafeInteger(of.version) || of.version < 1) {
    throw new RangeError('key versions count from 1');
  }
  const info = `countersign/${of.purpose}/${of.version}/${of.environment}`;
  return new Uint8Array(hkdfSync('sha256', root, NO_SALT, info, DERIVED_KEY_BYTES));
}
