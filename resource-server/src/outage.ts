/** Why a token could not be checked: for the log of the service, never for its caller. No text of it holds a token or a secret. */

export type OutageCode =
  /** There was no answer, or none in time. */
  | 'unreachable'
  /** The authority said that it cannot tell now. */
  | 'unavailable'
  /** The authority refuses this service's own credentials. */
  | 'credentials-refused'
  /** The answer is not one that an authority gives. */
  | 'unreadable'
  /** The stream of revocations broke off: tokens are still checked, each by a question. */
  | 'stream-lost'
  /** Too many checks are under way already. */
  | 'overloaded';

export type Outage = {
  readonly code: OutageCode;
  readonly message: string;
  readonly retryAfterSeconds: number;
  /** Names the question in the authority's log. */
  readonly requestId?: string | undefined;
};

const RETRY_AFTER_SECONDS_MAX = 60;

export function outage(
  code: OutageCode,
  message: string,
  more: { readonly retryAfter?: string | null; readonly requestId?: string | undefined } = {},
): Outage {
  const seconds = Math.ceil(Number(more.retryAfter)) || 1;
  return {
    code,
    message,
    retryAfterSeconds: Math.min(Math.max(seconds, 1), RETRY_AFTER_SECONDS_MAX),
    requestId: more.requestId,
  };
}
