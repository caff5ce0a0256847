/**
 * Authenticates a client by the secret in its form (RFC 6749 §2.3.1): the same work whether the client is unknown, suspended or
 * merely mistaken, and one keyed hash however many secrets are live.
 */

import {
  type PresentedCredentials,
  type Reason,
  type Refusal,
  type RefusalOf,
  refuse,
} from '@countersign/protocol';
import type { Pepper } from '../credentials/derive.ts';
import { defaultBrand, tagOfClientId } from '../credentials/identifiers.ts';
import type { KeyRing } from '../credentials/key-ring.ts';
import { macOfSecret, sameMac } from '../credentials/secret-hash.ts';
import { type ClientCredentials, OPERATORS, type StoredSecret } from '../ports/model.ts';
import { StoreUnavailable } from '../ports/store.ts';
import type { EnvironmentState } from '../replica/replica.ts';
import { isAllowedFrom } from './allowed-addresses.ts';
import { isRefused, type Refused } from './answering.ts';
import type { Authority } from './context.ts';

export type Authenticated = {
  readonly client: ClientCredentials;
  readonly secret: StoredSecret;
};

/** A refusal to a client that has proven who it is. */
export function refusedOf({ client, secret }: Authenticated, refusal: Refusal): Refused {
  return { refusal, client, secret: secret.ordinal };
}

/** Compared with when there is no client, so that an unknown one costs what a known one does. */
const NO_SECRET: StoredSecret = {
  ordinal: 0,
  secretId: '',
  mac: Buffer.alloc(32),
  pepperVersion: 0,
  revoked: true,
};

/** The credentials of a client_id, from the cache or the store. An unknown one is told without a read. */
export function clientOf(
  authority: Authority,
  clientId: string,
): ClientCredentials | undefined | Promise<ClientCredentials | undefined> {
  const ordinal = authority.replica.clients.find(clientId);
  if (ordinal === undefined) return undefined;
  return authority.credentials.get(ordinal) ?? authority.credentials.load(ordinal);
}

/** Turns away an address that has failed too often lately, before any work is done for it. */
export function refuseThrottled(
  authority: Authority,
  environment: number,
  caller: { readonly clientId: string; readonly address: string },
): Refused | undefined {
  const ordinal = authority.replica.clients.find(caller.clientId);
  const waitMs = authority.admission.waitMs({
    client: ordinal,
    environment,
    address: caller.address,
    nowMs: authority.clock.monotonicMs(),
  });
  if (waitMs === 0) return undefined;
  return {
    refusal: refuse('throttled', { retryAfterSeconds: waitMs / 1000 }),
    ...(ordinal === undefined ? {} : { client: { ordinal, clientId: caller.clientId } }),
  };
}

/** Decides, at once and only under the lease, whether the presented secret is a live one of this client. Counts failures. */
export function authenticate(
  authority: Authority,
  environment: EnvironmentState,
  attempt: Attempt,
): Authenticated | Refused {
  const { client } = attempt;
  if (!authority.follower.mayDecide()) return { refusal: refuse('lease-lost'), client };
  const decision = judge(authority, environment, attempt);
  if (!isRefused(decision)) {
    authority.secretUses.used(decision.secret.ordinal, attempt.address, attempt.nowMs);
    authority.secretMoves.used({
      environment: environment.ordinal,
      client: decision.client.ordinal,
      stored: decision.secret,
      presented: attempt.presented.clientSecret,
    });
  } else if (GUESSES.has(decision.refusal.reason)) {
    authority.admission.failed({
      client: client?.ordinal,
      environment: environment.ordinal,
      address: attempt.address,
      nowMs: authority.clock.monotonicMs(),
    });
  }
  return decision;
}

export type Attempt = {
  readonly client: ClientCredentials | undefined;
  readonly presented: PresentedCredentials;
  readonly address: string;
  readonly nowMs: number;
};

/** What whoever guesses runs into. A partner with a secret that was good once is not guessing. */
const GUESSES: ReadonlySet<Reason> = new Set(['unknown-client', 'wrong-secret']);

function judge(
  authority: Authority,
  environment: EnvironmentState,
  attempt: Attempt,
): Authenticated | Refused {
  const { presented, nowMs } = attempt;
  const tag = tagAt(environment, presented.clientId);
  const client = isOperatorElsewhere(environment, tag) ? undefined : attempt.client;
  const elsewhere = ofAnotherEnvironment(authority, environment, tag);
  if (elsewhere !== undefined) return { refusal: elsewhere, client };
  const secret = matchingSecret(authority, environment, {
    secrets: client?.secrets ?? [NO_SECRET],
    presented: presented.clientSecret,
  });
  if (client === undefined) return { refusal: refuse('unknown-client') };
  if (secret === undefined) return { refusal: refuse('wrong-secret'), client };
  const refusal = refusalOf(authority, { client, secret }, { address: attempt.address, nowMs });
  return refusal === undefined ? { client, secret } : refusedOf({ client, secret }, refusal);
}

/** Why a client whose secret is right may not have what it asks for. */
function refusalOf(
  authority: Authority,
  { client, secret }: Authenticated,
  { address, nowMs }: { readonly address: string; readonly nowMs: number },
): Refusal | undefined {
  if (secret.revoked) return refuse('revoked-secret');
  if (secret.expiresAtMs !== undefined && nowMs >= secret.expiresAtMs) {
    return refuse('expired-secret');
  }
  const { clients } = authority.replica;
  const state = clients.state(client.ordinal);
  if (state === 'deleted') return refuse('deleted-client');
  if (state === 'suspended') return refuse('suspended-client');
  if (authority.replica.program(clients.program(client.ordinal))?.suspended !== false) {
    return refuse('suspended-program');
  }
  if (!isAllowedFrom(client, address)) return refuse('address-not-allowed');
  return undefined;
}

/** The tag that a client_id bears. One that begins like all of this environment is not looked at further, whether it is known or not. */
function tagAt(here: EnvironmentState, clientId: string): string | undefined {
  return clientId.startsWith(`${defaultBrand.client}_${here.tag}_`)
    ? here.tag
    : tagOfClientId(clientId);
}

/** Partners learn nothing of operators, not even where they would be known: such a client_id is unknown to them. */
function isOperatorElsewhere(here: EnvironmentState, tag: string | undefined): boolean {
  return here.name !== OPERATORS.environment && tag === OPERATORS.tag;
}

/** Told by the public tag of the client_id alone, so it gives nothing away (and nothing is looked up elsewhere). */
function ofAnotherEnvironment(
  authority: Authority,
  here: EnvironmentState,
  tag: string | undefined,
): RefusalOf<'other-environment'> | undefined {
  if (tag === undefined || tag === here.tag || tag === OPERATORS.tag) return undefined;
  const other = authority.replica.environments().find((one) => one.tag === tag);
  if (other === undefined) return undefined;
  return refuse('other-environment', {
    presented: other.name,
    here: here.name,
    tokenEndpoint: `${other.issuer}/token`,
  });
}

/** Compares with every secret, without stopping at the first that fits; hashes once for each pepper version among them. */
function matchingSecret(
  { keyRing }: Authority,
  environment: EnvironmentState,
  candidates: { readonly secrets: readonly StoredSecret[]; readonly presented: string },
): StoredSecret | undefined {
  let match: StoredSecret | undefined;
  let hashedUnder = -1;
  let mac: Uint8Array | undefined;
  const secrets = candidates.secrets.length === 0 ? [NO_SECRET] : candidates.secrets;
  for (const secret of secrets) {
    if (secret.pepperVersion !== hashedUnder) {
      hashedUnder = secret.pepperVersion;
      const pepper = pepperOf(keyRing, environment.ordinal, hashedUnder);
      mac = pepper === undefined ? undefined : macOfSecret(pepper, candidates.presented);
    }
    if (mac !== undefined && sameMac(mac, secret.mac)) match = secret;
  }
  return match;
}

/** Undefined: it is retired, and so is every secret under it. Throws for one that this node has not heard of: never an answer. */
function pepperOf(keyRing: KeyRing, environment: number, version: number): Pepper | undefined {
  if (version === NO_SECRET.pepperVersion) return keyRing.newestPepper(environment).pepper;
  const pepper = keyRing.pepper(environment, version);
  if (pepper === undefined && version > keyRing.newestPepperVersion(environment)) {
    throw new StoreUnavailable('a pepper is not loaded yet');
  }
  return pepper;
}
