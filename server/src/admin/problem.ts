/** How the admin API says no: problem details (RFC 9457), naming what is wrong by its place. Repeats nothing of what was sent. */

import type { Answer } from '../endpoints/exchange.ts';
import type { Refusing } from '../endpoints/refusing.ts';
import type { RefusalCode } from '../ports/store.ts';

export type FieldError = {
  /** JSON pointer into the body (RFC 6901), or the name of a query parameter. */
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
};

export type Problem = {
  readonly status: number;
  /** A word for programs; `type` is made from it. */
  readonly name: string;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
};

const RETRY_AFTER_SECONDS = '1';

/** Thrown by whatever finds out first that a request cannot be answered as it stands. */
export class ProblemFound extends Error {
  override readonly name = 'ProblemFound';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The answer to a problem, under the id of its request. */
export function problemAnswer(problem: Problem, requestId: string): Answer {
  const { status, name, title, detail, errors, headers } = problem;
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
    body: JSON.stringify({
      type: `urn:countersign:problem:${name}`,
      title,
      status,
      detail,
      request_id: requestId,
      ...(errors === undefined ? {} : { errors }),
    }),
  };
}

export function invalidRequest(detail: string, errors?: readonly FieldError[]): Problem {
  const name = 'invalid-request';
  const title = 'The request is not as it must be';
  return { status: 400, name, title, detail, ...(errors === undefined ? {} : { errors }) };
}

/** For what is not there, and for what is not there for this caller. */
export const NOT_FOUND: Problem = {
  status: 404,
  name: 'not-found',
  title: 'There is no such thing',
  detail: 'Nothing that you may see has this id.',
};

export function tooMany(waitMs: number): Problem {
  return {
    status: 429,
    name: 'too-many',
    title: 'Too many changes at once',
    detail: 'Nothing was done. Come again when Retry-After has passed.',
    headers: { 'Retry-After': String(Math.ceil(waitMs / 1_000)) },
  };
}

export const UNAVAILABLE: Problem = {
  status: 503,
  name: 'unavailable',
  title: 'The store cannot be used now',
  detail:
    'Whether a change was made is not known. Repeat the request, with the same key if it had one.',
  headers: { 'Retry-After': RETRY_AFTER_SECONDS },
};

export const FAILED: Problem = {
  status: 500,
  name: 'failed',
  title: 'The request failed',
  detail: 'The fault is on this side; the log of the server tells more under the request id.',
};

const REFUSED: Readonly<Record<RefusalCode, Pick<Problem, 'status' | 'name' | 'title'>>> = {
  'not-found': { status: 404, name: 'not-found', title: 'There is no such thing' },
  conflict: { status: 409, name: 'conflict', title: 'The state does not allow it' },
  invalid: { status: 400, name: 'invalid-request', title: 'The request is not as it must be' },
  limit: { status: 409, name: 'limit', title: 'There are as many as there may be' },
  stale: { status: 412, name: 'stale', title: 'It has changed since it was read' },
  'key-reused': { status: 422, name: 'key-reused', title: 'The key names another request' },
};

/** What operations call a parameter after the command line, and what it is called in a body. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  NAME: 'name',
  URI: 'uri',
  TOKEN: 'token',
  CLIENT_ID: 'client_id',
  SECRET_ID: 'secret_id',
  '--resource': 'resources',
  '--program': 'program_id',
  '--token-lifetime': 'token_lifetime_seconds',
  '--expires': 'expires_at',
};

/** An operation's refusal, whose words are for operators already; what a field is called is said in the terms of this door. */
export function refusedChange(code: RefusalCode, message: string): Problem {
  const { errors, detail } = inFieldNames(message);
  return { ...REFUSED[code], detail, ...(code === 'invalid' && errors ? { errors } : {}) };
}

function inFieldNames(message: string): { detail: string; errors?: readonly FieldError[] } {
  const [parameter] = /^(?:--[a-z-]+|NAME|URI|TOKEN|CLIENT_ID|SECRET_ID)\b/.exec(message) ?? [];
  if (parameter === undefined) {
    const [field] = /^([a-z_]+) must/.exec(message)?.slice(1) ?? [];
    const errors =
      field === undefined ? {} : { errors: [{ pointer: `/${field}`, detail: message }] };
    return { detail: message, ...errors };
  }
  const field = FIELD_NAMES[parameter] ?? parameter.replace(/^--/, '').replaceAll('-', '_');
  const detail = `${field}${message.slice(parameter.length)}`;
  return { detail, errors: [{ pointer: `/${field}`, detail }] };
}

/** What the HTTP layer refuses by itself, in this API's form: paths that are none, methods, sizes. The token endpoint keeps its own. */
export function withProblems(refusing: Refusing): Refusing {
  return {
    ...refusing,
    refuse: (refusal, at, party) => {
      const answer = refusing.refuse(refusal, at, party);
      const isOurs = at.endpoint === 'admin' || at.endpoint === undefined;
      return isOurs ? inOurForm(answer, refusal.reason, at.requestId) : answer;
    },
  };
}

function inOurForm(answer: Answer, name: string, requestId: string): Answer {
  const { error_description: detail } = JSON.parse(answer.body) as { error_description: string };
  const { status, headers = {} } = answer;
  const title = status >= 500 ? 'Not now' : 'The request cannot be served';
  const problem = { status, name, title, detail, headers };
  return { ...answer, ...problemAnswer(problem, answer.requestId ?? requestId) };
}
