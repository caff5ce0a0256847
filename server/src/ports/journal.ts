/** The issuance journal: a token whose `append` has resolved is on disk, whatever happens next. */

export type IssuedToken = {
  /** 12 bytes: the token's nonce. */
  readonly jti: Uint8Array;
  readonly client: number;
  /** Sum of the generations that it was issued under: tells later whether it is still alive. */
  readonly generation: number;
  readonly secret: number;
  readonly scopeSet: number;
  readonly resource: number;
  readonly issuedAtMs: number;
  readonly lifetimeSeconds: number;
  /** Textual IP address of the caller. */
  readonly address: string;
};

export type Journal = {
  /** Resolves after the fsync of the batch it travelled in; rejects when that failed, and then nothing may be answered. */
  append(token: IssuedToken): Promise<void>;
  /** Commits what is under way, then stops. */
  close(): Promise<void>;
};

export type JournalReader = {
  /** The tokens of one client issued from `sinceMs` to `untilMs`, both included, newest first, at most `limit`. */
  list(query: {
    readonly client: number;
    readonly sinceMs: number;
    readonly untilMs?: number;
    readonly limit: number;
  }): Promise<readonly IssuedToken[]>;
};
