/** What the Banking API answers, before it is bytes: a status, headers and a JSON body; errors in one form. */

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
};

/** A request that cannot be granted, thrown where it is found out and answered in one place. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/** An error answer: a code for programs, and a sentence that says what to do. Nothing of the request stands in it. */
export function failure(error: {
  readonly status: number;
  readonly code: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
}): Answer {
  const { status, code, description, headers = {} } = error;
  return { status, headers, body: { error: code, error_description: description } };
}

export function invalidRequest(description: string): Refused {
  return new Refused(failure({ status: 400, code: 'invalid_request', description }));
}

/** The same whether the thing does not exist or belongs to another program. */
export function notFound(description = 'There is nothing here for your program.'): Refused {
  return new Refused(failure({ status: 404, code: 'not_found', description }));
}
