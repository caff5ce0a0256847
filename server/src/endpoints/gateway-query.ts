/** What a gateway's configuration asks of a call, in the query of `/verify`. Knows no token and no gateway. */

import {
  isRefusal,
  parseForm,
  parseScope,
  queryNames,
  type Refusal,
  refuse,
} from '@countersign/protocol';
import type { Incoming } from './exchange.ts';

export type Parameters = {
  /** All of them are needed. */
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
};

const PARAMETERS: readonly string[] = ['', 'scope', 'resource', 'mode'];
/** A query for each scope that the gateways' configurations name. */
const QUERIES_MAX = 100;

/** Reads each query once: it stands in a gateway's configuration, and comes with every call. */
export function newParameters(): (query: string) => Parameters | Refusal {
  const known = new Map<string, Parameters | Refusal>();
  return (query) => {
    const found = known.get(query);
    if (found !== undefined) return found;
    if (known.size >= QUERIES_MAX) known.clear();
    const read = readParameters(query);
    known.set(query, read);
    return read;
  };
}

/** Strictly: a misspelt parameter would be a scope that nobody checks. An empty one demands nothing. */
function readParameters(query: string): Parameters | Refusal {
  const form = parseForm(Buffer.from(query));
  if (isRefusal(form)) return refuse('gateway-misconfigured');
  const mode = form.get('mode');
  const scope = form.get('scope');
  const scopes = scope === undefined ? [] : parseScope(scope);
  const isSound =
    [...queryNames(query)].every((name) => PARAMETERS.includes(name)) &&
    form.all('resource').length <= 1 &&
    (mode === undefined || mode === 'nginx');
  if (!isSound || isRefusal(scopes)) return refuse('gateway-misconfigured');
  return { scopes, resource: form.get('resource') };
}

/** Whether the answer goes to nginx: also told by a query that is no good otherwise. */
export function asksForNginx({ query }: Incoming): boolean {
  return /(?:^|&)mode=nginx(?:&|$)/.test(query);
}
