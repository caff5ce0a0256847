/** What a partner's server imports. */

export { type Client, type ClientOptions, createClient } from './create-client.ts';
export { TokenError, type TokenErrorCode } from './errors.ts';
export type { Redacted } from './redacted.ts';
export type { SecretSource } from './secret-source.ts';
