/** What can go wrong on the way to a token. No message holds a secret, a token or anything that a server sent beyond its error code. */

export type TokenErrorCode =
  /** The credentials are refused: wrong, expired, or suspended. Asking again at once will not help. */
  | 'credentials-refused'
  /** The authority cannot answer just now; the credentials may be perfectly good. */
  | 'unavailable'
  /** What was asked for is not allowed, such as a scope. */
  | 'refused'
  /** The answer is not one that an authority gives, or this client is set up wrongly. */
  | 'misconfigured';

export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: TokenErrorCode;
  /** `error` of the answer (RFC 6749 §5.2), where there was one. */
  readonly oauthError: string | undefined;
  /** Names the request in the authority's log: tell it to support. */
  readonly requestId: string | undefined;
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: TokenErrorCode,
    message: string,
    more: {
      readonly oauthError?: string | undefined;
      readonly requestId?: string | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.code = code;
    this.oauthError = more.oauthError;
    this.requestId = more.requestId;
    this.retryAfterMs = more.retryAfterMs;
  }
}
