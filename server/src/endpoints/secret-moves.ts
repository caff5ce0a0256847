/**
 * Moves client secrets to the newest pepper as they are used: the only moment at which one is at hand. No answer waits for it, and
 * no decision depends on it: a hash under an older pepper is as good until that pepper is retired.
 */

import type { KeyRing } from '../credentials/key-ring.ts';
import { macOfSecret } from '../credentials/secret-hash.ts';
import type { StoredSecret } from '../ports/model.ts';
import type { Changes } from '../ports/store.ts';
import type { CredentialsCache } from '../replica/credentials-cache.ts';

/** Moves under way; what does not fit comes again with the secret's next use. */
const MOVES_MAX = 4;

export type SecretMoves = {
  /** Told of a secret that has just authenticated its client. */
  used(secret: UsedSecret): void;
};

type UsedSecret = {
  readonly environment: number;
  readonly client: number;
  readonly stored: StoredSecret;
  readonly presented: string;
};

export function newSecretMoves(deps: {
  readonly keyRing: KeyRing;
  readonly changes: Pick<Changes, 'moveSecret'>;
  readonly credentials: Pick<CredentialsCache, 'forget'>;
}): SecretMoves {
  const { keyRing, changes, credentials } = deps;
  const underWay = new Set<number>();

  const move = async ({ environment, client, stored, presented }: UsedSecret): Promise<void> => {
    const { version, pepper } = keyRing.newestPepper(environment);
    await changes.moveSecret({
      environment,
      secret: stored.ordinal,
      from: { mac: stored.mac, pepperVersion: stored.pepperVersion },
      to: { mac: macOfSecret(pepper, presented), pepperVersion: version },
    });
    // Moved now or by another node before: what is cached of the client is older than the store.
    credentials.forget(client);
  };

  return {
    used: (secret) => {
      const { ordinal, pepperVersion } = secret.stored;
      if (pepperVersion >= keyRing.newestPepperVersion(secret.environment)) return;
      if (underWay.size >= MOVES_MAX || underWay.has(ordinal)) return;
      underWay.add(ordinal);
      move(secret)
        // It comes again; and whoever needs the store reports that it is gone.
        .catch(() => {})
        .finally(() => underWay.delete(ordinal));
    },
  };
}
