/** Makes client secrets: the text for its owner, once, and what the store may know of it. */

import { newSecret, newSecretId } from '../credentials/identifiers.ts';
import { macOfSecret } from '../credentials/secret-hash.ts';
import type { Secret } from '../credentials/secret-value.ts';
import type { EnvironmentRecord } from '../ports/model.ts';
import type { NewSecret } from '../ports/store.ts';
import type { OperationContext } from './context.ts';

/** Enough to tell secrets apart in a list, and of the checksum only: none of the secret's entropy is shown. */
const HINT_LENGTH = 4;

/** A new secret of an environment, hashed under its newest pepper. */
export function makeSecret(
  context: Pick<OperationContext, 'keyRing' | 'randomness'>,
  environment: EnvironmentRecord,
  of: { readonly name: string | undefined; readonly expiresAtMs: number | undefined },
): { readonly clientSecret: Secret; readonly stored: NewSecret } {
  const { keyRing, randomness } = context;
  const { name, expiresAtMs } = of;
  const clientSecret = newSecret(randomness, environment.tag);
  const { pepper, version } = keyRing.newestPepper(environment.ordinal);
  const stored = {
    secretId: newSecretId(randomness),
    mac: macOfSecret(pepper, clientSecret.reveal()),
    pepperVersion: version,
    hint: clientSecret.reveal().slice(-HINT_LENGTH),
    ...(name === undefined ? {} : { name }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
  return { clientSecret, stored };
}
