/** Signed statements of where the audit trail stood: kept in the store, and meant to be kept elsewhere too. */

export type Checkpoint = {
  /** The line it was made at, and that line's hash: with it every line before is fixed. */
  readonly sequence: number;
  readonly hash: string;
  readonly atMs: number;
  /** Life of the store: a restore begins another one, in which numbers of lost lines are given out again. */
  readonly incarnation: string;
  readonly keyId: string;
  /** Ed25519, base64url, over the text that `checkpointText` makes of the members above. */
  readonly signature: string;
};

/** The key that checkpoints are signed with: one in a store's life, the same after a restore. */
export type SigningKey = {
  readonly keyId: string;
  /** Raw Ed25519 public key, base64url. */
  readonly publicKey: string;
  /** The private key's seed, wrapped under the master key. Base64url. */
  readonly wrapped: string;
  readonly createdAtMs: number;
};

export type Checkpoints = {
  /** Keeps a checkpoint, unless there is one of that line. */
  add(checkpoint: Checkpoint): Promise<void>;
  latest(): Promise<Checkpoint | undefined>;
  /** In order of their lines. */
  list(range: { readonly after: number; readonly limit: number }): Promise<readonly Checkpoint[]>;
  signingKeys(): Promise<readonly SigningKey[]>;
};
