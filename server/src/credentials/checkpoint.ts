/** Signs and checks checkpoints of the audit trail. Knows no trail, no store and no clock. */

import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { Checkpoint } from '../ports/checkpoints.ts';
import type { Randomness } from '../ports/clock.ts';

const SEED_BYTES = 32;
const KEY_ID_CHARACTERS = 16;
const PUBLIC_KEY = /^[A-Za-z0-9_-]{43}$/;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;
/** PKCS #8 and SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export type NewSigningKey = {
  readonly keyId: string;
  /** Raw, base64url. */
  readonly publicKey: string;
  /** All there is to the private key. */
  readonly seed: Buffer;
};

export function newSigningKey(random: Randomness): NewSigningKey {
  const seed = Buffer.from(random.bytes(SEED_BYTES));
  const publicKey = rawPublicKey(createPublicKey(privateKeyOf(seed)));
  return { keyId: keyIdOf(publicKey), publicKey, seed };
}

/** The first 16 hexadecimal characters of the SHA-256 of the raw public key. */
export function keyIdOf(publicKey: string): string {
  return hash('sha256', Buffer.from(publicKey, 'base64url')).slice(0, KEY_ID_CHARACTERS);
}

export function isPublicKey(text: string): boolean {
  return PUBLIC_KEY.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text;
}

/** What is signed: six lines, each ended by a line feed, so that no two checkpoints have one text. */
export function checkpointText(checkpoint: Omit<Checkpoint, 'signature'>): string {
  const { sequence, hash: lineHash, atMs, incarnation, keyId } = checkpoint;
  const at = new Date(atMs).toISOString();
  const lines = ['countersign audit checkpoint 1', sequence, lineHash, at, incarnation, keyId];
  return lines.map((line) => `${line}\n`).join('');
}

export function signCheckpoint(
  seed: Uint8Array,
  unsigned: Omit<Checkpoint, 'signature' | 'keyId'>,
): Checkpoint {
  const privateKey = privateKeyOf(seed);
  const keyId = keyIdOf(rawPublicKey(createPublicKey(privateKey)));
  const named = { ...unsigned, keyId };
  const signature = sign(null, Buffer.from(checkpointText(named)), privateKey);
  return { ...named, signature: signature.toString('base64url') };
}

/** Whether the holder of this public key has signed the checkpoint. */
export function isSignedBy(publicKey: string, checkpoint: Checkpoint): boolean {
  if (!isPublicKey(publicKey) || keyIdOf(publicKey) !== checkpoint.keyId) return false;
  if (!SIGNATURE.test(checkpoint.signature)) return false;
  const key = createPublicKey({
    key: Buffer.concat([PUBLIC_PREFIX, Buffer.from(publicKey, 'base64url')]),
    format: 'der',
    type: 'spki',
  });
  const text = Buffer.from(checkpointText(checkpoint));
  return verify(null, text, key, Buffer.from(checkpoint.signature, 'base64url'));
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  if (seed.length !== SEED_BYTES) throw new RangeError('the seed of a signing key has 32 bytes');
  const key = Buffer.concat([PRIVATE_PREFIX, seed]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  key.fill(0);
  return privateKey;
}

function rawPublicKey(key: KeyObject): string {
  const der = key.export({ format: 'der', type: 'spki' });
  return der.subarray(PUBLIC_PREFIX.length).toString('base64url');
}
