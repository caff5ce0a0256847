/** What the store tells of a secret that somebody has found. */

export type FoundSecret = {
  readonly ordinal: number;
  readonly secretId: string;
  readonly mac: Uint8Array;
  readonly client: number;
  readonly clientId: string;
  /** It may authenticate now, or once more when its client is reactivated. */
  readonly isLive: boolean;
  readonly isExposed: boolean;
};
