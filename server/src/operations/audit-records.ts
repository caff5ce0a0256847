/** The records of an audit export, a line of JSON each: written and read here, and nowhere else. Knows no file and no store. */

import { isPublicKey, keyIdOf } from '../credentials/checkpoint.ts';
import type { AuditLink } from '../ports/audit-trail.ts';
import type { Checkpoint } from '../ports/checkpoints.ts';

/** What an export begins with. */
export type ExportHead = {
  readonly incarnation: string;
  /** The line before its first, and that line's hash. */
  readonly after: number;
  readonly previousHash: string;
  /** Of the keys that its checkpoints are signed with, raw, base64url. */
  readonly publicKeys: readonly string[];
};

export type AuditRecord =
  | { readonly is: 'head'; readonly head: ExportHead }
  | { readonly is: 'line'; readonly link: AuditLink }
  | { readonly is: 'checkpoint'; readonly checkpoint: Checkpoint; readonly publicKey?: string };

const FORMAT_VERSION = 1;

export function headRecord({ incarnation, after, previousHash, publicKeys }: ExportHead): string {
  const members = { version: FORMAT_VERSION, incarnation, after, previous_hash: previousHash };
  return `${JSON.stringify({ export: { ...members, public_keys: publicKeys } })}\n`;
}

/** The text of the line stays a string, so that no tool on the way can write it otherwise than its hash covers it. */
export function lineRecord({ sequence, hash, line }: AuditLink): string {
  return `${JSON.stringify({ sequence, hash, line })}\n`;
}

export function checkpointRecord(checkpoint: Checkpoint): string {
  return `${JSON.stringify({ checkpoint: checkpointDocument(checkpoint) })}\n`;
}

export function checkpointDocument(checkpoint: Checkpoint): Record<string, unknown> {
  const { sequence, hash, atMs, incarnation, keyId, signature } = checkpoint;
  return {
    sequence,
    hash,
    at: new Date(atMs).toISOString(),
    incarnation,
    key_id: keyId,
    signature,
  };
}

/** A record of an export, or a checkpoint as `audit checkpoint --json` prints it; undefined: neither. */
export function parseRecord(text: string): AuditRecord | undefined {
  const value = parsed(text);
  if (value === undefined) return undefined;
  const { export: head, checkpoint, line, public_key: publicKey } = value;
  if (isObject(head)) return headOf(head);
  if (typeof line === 'string') return linkOf(value, line);
  const found = checkpointOf(isObject(checkpoint) ? checkpoint : value);
  if (found === undefined) return undefined;
  const isKey = typeof publicKey === 'string' && isPublicKey(publicKey);
  return { is: 'checkpoint', checkpoint: found, ...(isKey ? { publicKey } : {}) };
}

/** Public keys by their ids. */
export function keysById(publicKeys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(publicKeys.map((publicKey) => [keyIdOf(publicKey), publicKey]));
}

type Members = Readonly<Record<string, unknown>>;

function headOf(head: Members): AuditRecord | undefined {
  const { version, incarnation, after, previous_hash: previousHash, public_keys: keys } = head;
  if (version !== FORMAT_VERSION || typeof incarnation !== 'string') return undefined;
  if (!isWhole(after) || typeof previousHash !== 'string' || !Array.isArray(keys)) return undefined;
  const publicKeys = keys.filter(
    (key): key is string => typeof key === 'string' && isPublicKey(key),
  );
  if (publicKeys.length !== keys.length) return undefined;
  return { is: 'head', head: { incarnation, after, previousHash, publicKeys } };
}

function linkOf({ sequence, hash }: Members, line: string): AuditRecord | undefined {
  if (!isWhole(sequence) || typeof hash !== 'string') return undefined;
  return { is: 'line', link: { sequence, hash, line } };
}

function checkpointOf(members: Members): Checkpoint | undefined {
  const { sequence, hash, at, incarnation, key_id: keyId, signature } = members;
  if (!isWhole(sequence) || typeof hash !== 'string' || typeof at !== 'string') return undefined;
  if (typeof incarnation !== 'string' || typeof keyId !== 'string') return undefined;
  if (typeof signature !== 'string') return undefined;
  const atMs = Date.parse(at);
  // One spelling, as the signature covers the time that it names.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString() !== at) return undefined;
  return { sequence, hash, atMs, incarnation, keyId, signature };
}

function parsed(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
