/** From a request to the answer of its route: finds the row, lets the request be authorized, and reads what the row says it takes. */

import type { IncomingMessage } from 'node:http';
import type { Identity } from '@countersign/resource-server';
import { type Answer, Refused } from './answer.ts';
import type { Authorize } from './authorize.ts';
import { readBody } from './members.ts';
import { keyOf, makeUnderWay } from './once.ts';
import { pageRequest } from './pages.ts';
import type { Route } from './route.ts';

/** What is known of a request by the time it is answered, for the log. */
export type Seen = { route?: string; identity?: Identity };
export type Dispatch = (request: IncomingMessage, seen: Seen) => Promise<Answer>;

/** Makes it, over the table of routes. Throws `Refused`. */
export function makeDispatch(parts: {
  readonly routes: readonly Route[];
  readonly authorize: Authorize;
  /** Prepares for a program that may never have called before. */
  readonly welcome: (programId: string) => void;
}): Dispatch {
  const { authorize, welcome } = parts;
  const routes = parts.routes.map((route) => ({ route, pattern: patternOf(route.path) }));
  const underWay = makeUnderWay();
  return async (request, seen) => {
    const { pathname, query } = targetOf(request);
    const here = routes.filter(({ pattern }) => pattern.test(pathname));
    const { route, pattern } = chosen(here, request);
    seen.route = route.path;
    // Success needs a token first: no body is read and no row is touched for a caller without one.
    let programId = '';
    if (route.scope !== undefined) {
      seen.identity = await authorize(request, route.scope);
      programId = seen.identity.programId;
      welcome(programId);
    }
    const call = {
      programId,
      accountId: pattern.exec(pathname)?.[1] ?? '',
      page: pageRequest(route.isList ? query : new URLSearchParams()),
      key: route.isOnce ? keyOf(request) : '',
    };
    const answer = async (): Promise<Answer> =>
      route.handle({ ...call, body: route.body ? await readBody(request, route.body) : {} });
    return route.isOnce ? underWay(programId, call.key, answer) : answer();
  };
}

function chosen<T extends { readonly route: Route }>(
  here: readonly T[],
  { method }: IncomingMessage,
): T {
  if (here.length === 0) {
    throw new Refused('not-found', 'There is nothing at this URL. Check its path.');
  }
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = here.find(({ route }) => route.method === wanted);
  if (found !== undefined) return found;
  const methods = here.map(({ route }) => (route.method === 'GET' ? 'GET, HEAD' : route.method));
  const allow = methods.sort().join(', ');
  throw new Refused('method-not-allowed', `This URL answers ${allow} only.`, {
    headers: { Allow: allow },
  });
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/, '(\\w{1,64})')}$`);
}

/** The path as it came: nothing is decoded or resolved, so that one resource has one spelling. */
function targetOf({ url = '' }: IncomingMessage): {
  readonly pathname: string;
  readonly query: URLSearchParams;
} {
  const mark = url.indexOf('?');
  if (mark === -1) return { pathname: url, query: new URLSearchParams() };
  return { pathname: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}
