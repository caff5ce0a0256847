/** How a row hands a secret over: by a claim, unless the installation allows that it is shown in the answer. */

import type { ClaimOptions } from '../operations/claim-material.ts';
import { policyOf } from '../operations/policy-of.ts';
import { parseTime } from '../operations/time-input.ts';
import { Type } from './json-schema.ts';
import type { Call } from './route.ts';
import * as schema from './schemas.ts';

const wishes = {
  passphrase: Type.Optional(
    schema.flag('False: whoever has the link needs nothing else. True unless it is said.'),
  ),
  expires_at: Type.Optional(schema.moment),
};

/** What may be said of a claim. By the policy `secret-handover` there is one anyway. */
export const claimMember = { claim: Type.Optional(schema.strict(wishes)) };

/** What hands out a claim or a secret; a replay does neither. */
export const handedOver = {
  ...schema.handedOut,
  claim_id: Type.Optional(schema.claimId),
  claim_expires_at: Type.Optional(schema.at),
  claim_url: Type.Optional(
    Type.String({ description: 'One-time link for the owner. Shown this once.' }),
  ),
  claim_passphrase: Type.Optional(
    Type.String({ description: 'For the owner, on another way than the link. Shown this once.' }),
  ),
};

/** The options of the claim that takes the place of a secret; undefined: the secret itself may be shown, and nobody asked for a claim. */
export async function claimWanted(
  { context }: Pick<Call, 'context'>,
  { claim }: { readonly claim?: { passphrase?: boolean; expires_at?: string } },
): Promise<ClaimOptions | undefined> {
  const isShown = (await policyOf(context, 'secret-handover')) === 'shown';
  if (claim === undefined) return isShown ? undefined : {};
  const { passphrase, expires_at } = claim;
  return {
    passphrase,
    expiresAtMs:
      expires_at === undefined
        ? undefined
        : parseTime('claim.expires_at', expires_at, context.clock.wallMs()),
  };
}
