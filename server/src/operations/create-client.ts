/** Gives a program a client in one environment, with its first secret. */

import { newClientId } from '../credentials/identifiers.ts';
import type { Secret } from '../credentials/secret-value.ts';
import { requireAddressBlocks } from './address-blocks.ts';
import { type ClaimOptions, type Handover, makeClaim } from './claim-material.ts';
import { commitAndAwait, type Done, environmentNamed, type OperationContext } from './context.ts';
import {
  requireEnvironmentName,
  requireFuture,
  requireName,
  requireProgramId,
  requireResources,
  requireScopeNames,
  requireTokenLifetime,
} from './input.ts';
import { makeSecret } from './secret-material.ts';

const TOKEN_LIFETIME_SECONDS = 3_600;

export type ClientInput = {
  readonly programId: string;
  readonly environment: string;
  readonly name: string;
  readonly scope?: readonly string[];
  readonly resources?: readonly string[];
  readonly allowIp?: readonly string[];
  readonly tokenLifetimeSeconds?: number | undefined;
  readonly resourceServer?: boolean;
  /** When the first secret ends; left out: never. */
  readonly secretExpiresAtMs?: number | undefined;
};

export type CreatedClient = Done & {
  readonly clientId: string;
  /** Handed out here and never again. */
  readonly clientSecret: Secret;
  readonly secretId: string;
  readonly programId: string;
  readonly environment: string;
  readonly tokenEndpoint: string;
  readonly expiresAtMs?: number;
};

export type ClaimedClient = Done & Omit<CreatedClient, 'clientSecret' | 'secretId'> & Handover;

/** Creates a client and its first secret. Undeclared scopes and resources are refused with the command that declares them. Throws `ChangeRefused`. */
export async function createClient(
  context: OperationContext,
  input: ClientInput,
): Promise<CreatedClient> {
  const { change, environment, made } = await planned(context, input);
  const { secretExpiresAtMs } = input;
  const { clientSecret, stored } = makeSecret(context, environment, {
    name: undefined,
    expiresAtMs: secretExpiresAtMs,
  });
  const done = await commitAndAwait(context, { ...change, secret: stored });
  return { clientSecret, secretId: stored.secretId, ...made, ...done };
}

/** The same without a secret: whoever holds the claim has it made, and is the only one who ever sees it. Throws `ChangeRefused`. */
export async function createClientWithClaim(
  context: OperationContext,
  input: ClientInput & { readonly claim: ClaimOptions },
): Promise<ClaimedClient> {
  const { change, environment, made } = await planned(context, input);
  const { handover, stored } = makeClaim(context, environment, {
    purpose: 'create',
    secretExpiresAtMs: input.secretExpiresAtMs,
    overlapMs: 0,
    options: input.claim,
  });
  const done = await commitAndAwait(context, { ...change, claim: stored });
  return { ...made, ...handover, ...done };
}

/** The change but for its credentials, and what is told of it. */
async function planned(context: OperationContext, input: ClientInput) {
  const { secretExpiresAtMs } = input;
  const programId = requireProgramId(input.programId);
  const name = requireName('--name', input.name);
  const settings = {
    scope: requireScopeNames(input.scope ?? []),
    resources: requireResources(input.resources ?? []),
    allowIp: requireAddressBlocks(input.allowIp ?? []),
    tokenLifetimeSeconds: requireTokenLifetime(
      input.tokenLifetimeSeconds ?? TOKEN_LIFETIME_SECONDS,
    ),
    resourceServer: input.resourceServer ?? false,
  };
  if (secretExpiresAtMs !== undefined) {
    requireFuture('--expires', secretExpiresAtMs, context.clock.wallMs());
  }
  const environment = await environmentNamed(context, requireEnvironmentName(input.environment));
  const clientId = newClientId(context.randomness, environment.tag);
  const about = { clientId, programId, environment: environment.name };
  const made = {
    ...about,
    tokenEndpoint: `${environment.issuer}/token`,
    ...(secretExpiresAtMs === undefined ? {} : { expiresAtMs: secretExpiresAtMs }),
  };
  return {
    environment,
    made,
    change: { kind: 'client.create', ...about, name, ...settings } as const,
  };
}
