/** One row of the table of routes: all that is said of a route, and what its handler is given. */

import type { Answer, ProblemName } from './answer.ts';
import type { Members, ValuesOf } from './members.ts';
import type { PageRequest } from './pages.ts';
import type { ShapeName } from './shapes.ts';

/** What a route is handed, read from the request as its row says and from nothing else. */
export type Call<M extends Members = Members> = {
  /** Whose token it is: the only program whose data this call may touch. */
  readonly programId: string;
  /** What stands in the path in place of `{account_id}`. */
  readonly accountId: string;
  readonly page: PageRequest;
  readonly key: string;
  readonly body: ValuesOf<M>;
};

type Row<M extends Members> = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** What generated clients call it. */
  readonly operation: string;
  readonly summary: string;
  /** Undefined: open to everybody. */
  readonly scope?: string;
  /** Takes `limit` and `cursor`. */
  readonly isList?: boolean;
  /** Moves money: needs an Idempotency-Key, and is done once a key. */
  readonly isOnce?: boolean;
  /** The members of its JSON body: exactly these. */
  readonly body?: M;
  /** Status of success, and the name of its shape. */
  readonly answer: readonly [status: 200 | 201, shape: ShapeName];
  /** What it refuses by beside what its row implies. */
  readonly refusals?: readonly ProblemName[];
  handle(call: Call<M>): Answer;
};
export type Route = Row<Members>;

/** Lets the handler of a row see its body by the body's own members. */
export function row<const M extends Members>(one: Row<M>): Route {
  return one;
}
