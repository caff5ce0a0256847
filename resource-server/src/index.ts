/** What a service of the bank imports to check the tokens of its callers. */

export {
  createVerifier,
  type InProcessAuthority,
  type InProcessVerifierOptions,
  type Needs,
  type Presented,
  type Refused,
  type Verdict,
  type Verifier,
  type VerifierOptions,
} from './create-verifier.ts';
export type { Identity } from './identity.ts';
export type { Outage, OutageCode } from './outage.ts';
export type { SecretSource } from './secret-source.ts';
