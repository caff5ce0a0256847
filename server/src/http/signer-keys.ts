/**
 * The public keys of whoever signs alerts: from a URL or a file, in the form in which GitHub publishes them. Fetched when a key is
 * wanted that is not known, seldom at that, and bounded in bytes and time.
 */

import { readFile } from 'node:fs/promises';
import type { SignerKeys } from '../endpoints/github-alerts.ts';
import type { Clock } from '../ports/clock.ts';

/** A key that is known is used this long without being asked for again: a withdrawn one is out of use by then. */
const FRESH_MS = 60 * 60 * 1000;
/** Nobody makes us ask more often, whatever keys they name. */
const ASK_INTERVAL_MS = 30_000;
const FETCH_MS_MAX = 5_000;
const BYTES_MAX = 64 * 1024;
const KEYS_MAX = 100;
/** Callers that wait for one answer; more are told to come back. */
const WAITING_MAX = 32;

type Published = { readonly key_identifier?: unknown; readonly key?: unknown };

/** Keys from `https://…` or from the path of a file. */
export function newSignerKeys(from: string, clock: Clock): SignerKeys {
  let keys: ReadonlyMap<string, string> = new Map();
  let askedMs = Number.NEGATIVE_INFINITY;
  let freshUntilMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  let waiting = 0;

  const ask = async (): Promise<void> => {
    const text = /^https?:/.test(from) ? await fetched(from) : await readFile(from, 'utf8');
    keys = keysOf(text);
    freshUntilMs = clock.monotonicMs() + FRESH_MS;
  };

  return {
    find: async (name) => {
      const nowMs = clock.monotonicMs();
      const isFresh = nowMs < freshUntilMs;
      if (isFresh && keys.has(name)) return keys.get(name);
      if (asking === undefined && nowMs - askedMs >= ASK_INTERVAL_MS) {
        askedMs = nowMs;
        asking = ask().finally(() => {
          asking = undefined;
        });
      }
      if (asking !== undefined) {
        if (waiting >= WAITING_MAX) throw new Error('too many wait for the keys');
        waiting += 1;
        // Callers that come together wait for one answer; one that failed is an outage, not a wrong signature.
        await asking.finally(() => {
          waiting -= 1;
        });
      }
      if (clock.monotonicMs() >= freshUntilMs) throw new Error('the keys cannot be had now');
      return keys.get(name);
    },
  };
}

async function fetched(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { Accept: 'application/json', 'User-Agent': 'countersign' },
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_MS_MAX),
  });
  if (!response.ok || response.body === null) throw new Error(`answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function keysOf(text: string): ReadonlyMap<string, string> {
  const { public_keys: list } = JSON.parse(text) as { readonly public_keys?: unknown };
  if (!Array.isArray(list)) throw new Error('there are no public_keys');
  const pairs = list.slice(0, KEYS_MAX).flatMap(({ key_identifier, key }: Published) => {
    const isPair = typeof key_identifier === 'string' && typeof key === 'string';
    return isPair ? [[key_identifier, key] as const] : [];
  });
  return new Map(pairs);
}
