/** What the Banking API answers: JSON with a status, or problem details (RFC 9457), every kind of which stands in one table here. */

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
};

/** Everything that this API refuses by. Programs go by `type`, which is made of the name. */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not as it must be' },
  'no-token': { status: 401, title: 'There is no access token' },
  'invalid-token': { status: 401, title: 'The access token is not valid' },
  'insufficient-scope': { status: 403, title: 'The access token lacks a scope' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The method is not one of this URL' },
  'profile-exists': { status: 409, title: 'There is such a profile' },
  'key-under-way': { status: 409, title: 'A request with this key is under way' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'not-json': { status: 415, title: 'The body is not said to be JSON' },
  'key-reused': { status: 422, title: 'The key names another request' },
  'insufficient-funds': { status: 422, title: 'The balance does not suffice' },
  'balance-too-large': { status: 422, title: 'The account cannot hold that much' },
  failed: { status: 500, title: 'The request failed' },
  'temporarily-unavailable': { status: 503, title: 'Not now' },
} as const;

export type ProblemName = keyof typeof PROBLEMS;

/** The namespace of examples (RFC 6963): a bank puts its own in its place. */
export const PROBLEM_TYPE = 'urn:example:bank:';

type More = {
  /** What is wrong: a member of the body, by JSON pointer (RFC 6901), or a parameter or header by name. */
  readonly at?: { readonly pointer: string } | { readonly parameter: string };
  /** The code of RFC 6750, where a token was refused. */
  readonly error?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A request that cannot be granted: thrown where that is found out, answered in one place. Repeats nothing of the request. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly problem: ProblemName;
  readonly more: More;

  constructor(problem: ProblemName, detail: string, more: More = {}) {
    super(detail);
    this.problem = problem;
    this.more = more;
  }
}

/** A refusal as it goes out, under the id of its request. */
export function problemAnswer({ problem, message, more }: Refused, requestId: string): Answer {
  const { status, title } = PROBLEMS[problem];
  const { at, error, headers } = more;
  return {
    status,
    headers: { ...headers, 'Content-Type': 'application/problem+json' },
    body: {
      type: `${PROBLEM_TYPE}${problem}`,
      title,
      status,
      detail: message,
      request_id: requestId,
      error,
      errors: at && [{ ...at, detail: message }],
    },
  };
}
