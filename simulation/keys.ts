/** Root keys of the simulated stores, the same in every history: real ones, made once, since making them costs more than a history. */

import { KeyRing } from '../server/src/credentials/key-ring.ts';
import { MASTER_KEY_BYTES, MasterKey } from '../server/src/credentials/key-wrapping.ts';
import { macOfSecret } from '../server/src/credentials/secret-hash.ts';
import type { Fact } from '../server/src/ports/change-log.ts';
import { newRandom } from './random.ts';

export const ENVIRONMENT = {
  ordinal: 1,
  name: 'sandbox',
  tag: 'test',
  issuer: 'http://127.0.0.1:8080/sandbox',
} as const;
/** Fresh ones for each promotion that lost changes; a history has fewer. */
const TOKEN_KEYS = 6;

const random = newRandom(1);
const MASTER_KEY = new MasterKey(random.bytes(MASTER_KEY_BYTES), random);

/** A ring as a node has one when it starts: it knows no key. */
export const newKeyRing = (): KeyRing => new KeyRing(MASTER_KEY);

type Key = Extract<Fact, { is: 'key' }>;

const newKey = (purpose: Key['purpose'], version: number): Key => ({
  is: 'key',
  purpose,
  environment: ENVIRONMENT.ordinal,
  version,
  wrapped: newKeyRing().newRoot({ purpose, environment: ENVIRONMENT.name, version }, random),
});

export const PEPPER = newKey('secret', 1);
export const TOKEN_KEY_LIST: readonly Key[] = Array.from({ length: TOKEN_KEYS }, (_, index) =>
  newKey('token', index + 1),
);

/** Knows every key there will be: how the checker reads what nodes hand out. */
export const ALL_KEYS = newKeyRing();
for (const { purpose, version, wrapped } of [PEPPER, ...TOKEN_KEY_LIST]) {
  ALL_KEYS.add({ purpose, environment: ENVIRONMENT, version, wrapped });
}

export const macOf = (secret: string): Buffer =>
  macOfSecret(ALL_KEYS.newestPepper(ENVIRONMENT.ordinal).pepper, secret);
