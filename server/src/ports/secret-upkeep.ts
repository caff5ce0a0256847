/** What is written of secrets beside the change log, as it alters no decision: their move to a newer pepper, their latest use. */

type Hash = { readonly mac: Uint8Array; readonly pepperVersion: number };

/** One secret, hashed as it stands and as it is to stand. */
export type SecretMove = {
  readonly environment: number;
  readonly secret: number;
  readonly from: Hash;
  readonly to: Hash;
};

/** The latest use of one secret. */
export type SecretUse = {
  readonly secret: number;
  readonly atMs: number;
  readonly address: string;
};
