/** The root keys there are and what still needs each of them. Shows no key, wrapped or not. */

import { type KeyPurpose, type KeyRecord, TOKEN_KEY_REST_MS } from '../ports/model.ts';
import type { OperationContext } from './context.ts';

export type ListedKey = {
  readonly environment: string;
  readonly purpose: KeyPurpose;
  readonly version: number;
  /**
   * 'newest': new tokens or secrets take it. 'needed': a live token or secret may need it. 'unused': it may be retired.
   */
  readonly state: 'newest' | 'needed' | 'unused' | 'retired';
  readonly createdAtMs: number;
  /** Of a token key that is not the newest: when the last token that it may open has expired. */
  readonly retirableAtMs?: number;
  /** Of a pepper: live secrets that are hashed under it. */
  readonly liveSecrets?: number;
  readonly retiredAtMs?: number;
};

/** Every key, by environment, purpose and version. */
export async function listKeys(
  context: Pick<OperationContext, 'directory' | 'clock'>,
): Promise<readonly ListedKey[]> {
  const nowMs = context.clock.wallMs();
  const keys = await context.directory.keys(nowMs);
  return keys.map((key) => listed(key, successorOf(key, keys), nowMs));
}

/** The next one that there is: `keys` are in order, and a restore leaves numbers out. */
function successorOf(key: KeyRecord, keys: readonly KeyRecord[]): KeyRecord | undefined {
  return keys.find(
    ({ purpose, environment, version }) =>
      purpose === key.purpose && environment === key.environment && version > key.version,
  );
}

function listed(key: KeyRecord, next: KeyRecord | undefined, nowMs: number): ListedKey {
  const { environment, purpose, version, createdAtMs, retiredAtMs, liveSecrets } = key;
  const retirableAtMs =
    purpose === 'token' && next !== undefined ? next.createdAtMs + TOKEN_KEY_REST_MS : undefined;
  const isNeeded = purpose === 'token' ? (retirableAtMs ?? 0) > nowMs : liveSecrets > 0;
  const about = { environment, purpose, version, createdAtMs };
  const secrets = purpose === 'secret' ? { liveSecrets } : {};
  if (retiredAtMs !== undefined) return { ...about, state: 'retired', ...secrets, retiredAtMs };
  if (next === undefined) return { ...about, state: 'newest', ...secrets };
  return {
    ...about,
    state: isNeeded ? 'needed' : 'unused',
    ...(retirableAtMs === undefined ? {} : { retirableAtMs }),
    ...secrets,
  };
}
