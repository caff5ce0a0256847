/**
 * The unwrapped keys of every environment, as the change log told them. Knows no store and never
 * prints a key.
 */

import type { Randomness } from '../ports/clock.ts';
import type { KeyPurpose } from '../ports/model.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { TokenKey, TokenKeyLookup } from './access-token.ts';
import {
  deriveClaimKey,
  deriveCursorKey,
  derivePepper,
  deriveRequestIdKey,
  deriveTokenKey,
  type Pepper,
  ROOT_KEY_BYTES,
} from './derive.ts';
import type { HmacKey } from './hmac.ts';
import { type Brand, defaultBrand } from './identifiers.ts';
import type { MasterKey } from './key-wrapping.ts';
import type { RequestIdKey } from './request-id.ts';

export type WrappedKey = {
  readonly purpose: KeyPurpose;
  readonly environment: { readonly ordinal: number; readonly name: string; readonly tag: string };
  readonly version: number;
  /** As `newRoot` made it. */
  readonly wrapped: string;
};

/** What one root key for secrets is good for. */
type SecretKeys = { readonly pepper: Pepper; readonly claim: HmacKey };

/** The keys of one purpose in one environment. */
type Versions<K> = {
  readonly byVersion: Map<number, { readonly version: number; readonly key: K; wrapped: string }>;
  newest: number;
};

type EnvironmentKeys = {
  readonly token: Versions<TokenKey>;
  /** Derived from the token keys, and gone with them. */
  readonly cursor: Versions<HmacKey>;
  readonly secret: Versions<SecretKeys>;
  readonly lookup: TokenKeyLookup;
};

/** Whose keys of secrets the ids of refused requests are sealed under: every installation has it, and it is known before any request. */
export const REQUEST_ID_ENVIRONMENT = 1;

export class KeyRing {
  readonly #master: MasterKey;
  readonly #brand: Brand;
  readonly #environments = new Map<number, EnvironmentKeys>();
  /** The newest there was. It decides nothing, so that it outlives the moment at which a replica is loaded anew. */
  #requestIds: RequestIdKey | undefined;

  constructor(master: MasterKey, brand: Brand = defaultBrand) {
    this.#master = master;
    this.#brand = brand;
  }

  /** Learns a key. Told again it changes nothing; told otherwise, the last word holds. */
  add(told: WrappedKey): void {
    const { purpose, environment, version, wrapped } = told;
    const known = this.#environments.get(environment.ordinal);
    if (known?.[purpose].byVersion.get(version)?.wrapped === wrapped) return;

    const root = this.#master.unwrap(wrapped, nameOf(purpose, environment.name, version));
    const keys = known ?? this.#newEnvironment(environment);
    if (purpose === 'token') {
      const named = { ...environment, brand: this.#brand };
      put(keys.token, { version, key: deriveTokenKey(root, named, version), wrapped });
      const cursor = deriveCursorKey(root, environment.name, version);
      put(keys.cursor, { version, key: cursor, wrapped });
    } else {
      const pepper = derivePepper(root, environment.name, version);
      const claim = deriveClaimKey(root, environment.name, version);
      put(keys.secret, { version, key: { pepper, claim }, wrapped });
      if (environment.ordinal === REQUEST_ID_ENVIRONMENT && version === keys.secret.newest) {
        this.#requestIds = deriveRequestIdKey(root, environment.name, version);
      }
    }
    root.fill(0);
    this.#environments.set(environment.ordinal, keys);
  }

  /** Forgets a key for good: its tokens open no more, and no secret is compared under it. */
  retire(key: { purpose: KeyPurpose; environment: number; version: number }): void {
    const keys = this.#environments.get(key.environment);
    keys?.[key.purpose].byVersion.delete(key.version);
    if (key.purpose === 'token') keys?.cursor.byVersion.delete(key.version);
  }

  /** Fingerprint of the master key that this ring wraps and unwraps with. */
  masterKeyCheck(): string {
    return this.#master.fingerprint();
  }

  /** The same root key, wrapped under another master key. Throws MasterKeyError if this ring's cannot open it. */
  rewrap(
    of: { purpose: KeyPurpose; environment: string; version: number; wrapped: string },
    master: MasterKey,
  ): string {
    return this.rewrapNamed(of.wrapped, nameOf(of.purpose, of.environment, of.version), master);
  }

  /** The same bytes, wrapped under another master key. */
  rewrapNamed(wrapped: string, name: string, master: MasterKey): string {
    const bytes = this.#master.unwrap(wrapped, name);
    const rewrapped = master.wrap(bytes, name);
    bytes.fill(0);
    return rewrapped;
  }

  /** Wraps a secret that is no root key, under a name that is no root key's, such as `audit-key/…`. */
  wrapNamed(secret: Uint8Array, name: string): string {
    return this.#master.wrap(secret, name);
  }

  /** What was wrapped under this name; whoever has used it wipes it. Throws MasterKeyError for anything else. */
  unwrapNamed(wrapped: string, name: string): Buffer {
    return this.#master.unwrap(wrapped, name);
  }

  /**
   * A new root key, wrapped for the store. The ring itself learns it only when the change log tells
   * it.
   */
  newRoot(
    of: { purpose: KeyPurpose; environment: string; version: number },
    random: Randomness,
  ): string {
    const root = random.bytes(ROOT_KEY_BYTES);
    const wrapped = this.#master.wrap(root, nameOf(of.purpose, of.environment, of.version));
    root.fill(0);
    return wrapped;
  }

  /** The newest token key: what `/token` seals with. */
  sealingKey(environmentOrdinal: number): { readonly version: number; readonly key: TokenKey } {
    return newestOf(this.#of(environmentOrdinal).token);
  }

  /** What opens the tokens of one environment, and of no other. */
  tokenKeys(environmentOrdinal: number): TokenKeyLookup {
    return this.#of(environmentOrdinal).lookup;
  }

  /** 0 while none is known. */
  newestTokenVersion(environmentOrdinal: number): number {
    return this.#environments.get(environmentOrdinal)?.token.newest ?? 0;
  }

  /** The pepper a stored secret was hashed under. */
  pepper(environmentOrdinal: number, version: number): Pepper | undefined {
    return this.#environments.get(environmentOrdinal)?.secret.byVersion.get(version)?.key.pepper;
  }

  /** The key of the hashes of claims; it comes and goes with the pepper of its version. */
  claimKey(environmentOrdinal: number, version: number): HmacKey | undefined {
    return this.#environments.get(environmentOrdinal)?.secret.byVersion.get(version)?.key.claim;
  }

  /** Every pepper that a stored secret may be under. */
  peppers(environmentOrdinal: number): readonly Pepper[] {
    const held = this.#environments.get(environmentOrdinal)?.secret.byVersion.values() ?? [];
    return [...held].map(({ key }) => key.pepper);
  }

  /** 0 while none is known. */
  newestPepperVersion(environmentOrdinal: number): number {
    return this.#environments.get(environmentOrdinal)?.secret.newest ?? 0;
  }

  /** What new secrets are hashed under. */
  newestPepper(environmentOrdinal: number): { readonly version: number; readonly pepper: Pepper } {
    const { version, key } = newestOf(this.#of(environmentOrdinal).secret);
    return { version, pepper: key.pepper };
  }

  /** What the ids of refused requests are sealed under; undefined while no key is known. */
  requestIdKey(): RequestIdKey | undefined {
    return this.#requestIds;
  }

  /** The key of request ids of one version, from its wrapped root, whether that is in use or retired. Throws MasterKeyError. */
  requestIdKeyOf(root: {
    readonly environment: string;
    readonly version: number;
    readonly wrapped: string;
  }): RequestIdKey {
    const { environment, version, wrapped } = root;
    const opened = this.#master.unwrap(wrapped, nameOf('secret', environment, version));
    const key = deriveRequestIdKey(opened, environment, version);
    opened.fill(0);
    return key;
  }

  /** What the marks of lists are made under. */
  newestCursorKey(environmentOrdinal: number): { readonly version: number; readonly key: HmacKey } {
    return newestOf(this.#of(environmentOrdinal).cursor);
  }

  /** What such a mark may have been made under. */
  cursorKey(environmentOrdinal: number, version: number): HmacKey | undefined {
    return this.#environments.get(environmentOrdinal)?.cursor.byVersion.get(version)?.key;
  }

  /** Forgets every key: the replica was emptied. */
  reset(): void {
    this.#environments.clear();
  }

  /** A node without its keys is an outage, never a reason to call a credential wrong. */
  #of(environmentOrdinal: number): EnvironmentKeys {
    const keys = this.#environments.get(environmentOrdinal);
    if (keys === undefined) throw new StoreUnavailable('the keys are not loaded');
    return keys;
  }

  #newEnvironment(environment: { name: string; tag: string }): EnvironmentKeys {
    const token: Versions<TokenKey> = { byVersion: new Map(), newest: 0 };
    const cursor: Versions<HmacKey> = { byVersion: new Map(), newest: 0 };
    const secret: Versions<SecretKeys> = { byVersion: new Map(), newest: 0 };
    const lookup: TokenKeyLookup = {
      tag: environment.tag,
      environment: environment.name,
      brand: this.#brand,
      key: (version) => token.byVersion.get(version)?.key,
    };
    return { token, secret, cursor, lookup };
  }
}

/** Under which name a root key is wrapped, so that one cannot be passed off as another. */
function nameOf(purpose: KeyPurpose, environment: string, version: number): string {
  return `${purpose}/${environment}/${version}`;
}

function put<K>(versions: Versions<K>, entry: { version: number; key: K; wrapped: string }): void {
  versions.byVersion.set(entry.version, entry);
  versions.newest = Math.max(versions.newest, entry.version);
}

function newestOf<K>(versions: Versions<K>): { version: number; key: K } {
  const newest = versions.byVersion.get(versions.newest);
  if (newest === undefined) throw new StoreUnavailable('the keys are not loaded');
  return newest;
}
