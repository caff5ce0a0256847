/**
 * Finds who answers a request, over routes that are data: one look-up of the path as it came, undecoded. On node:http and
 * not on a framework, whose routing, request and reply objects cost a tenth and more of all that this listener does.
 *
 * Absolute-form targets (`POST http://any.host/sandbox/token`) are served like their path, as RFC 9112 §3.2.2 demands of
 * every server; the host named there selects among routes that are bound to a host, and changes nothing else.
 */

import type { IncomingMessage, RequestListener } from 'node:http';
import { type Refusal, refuse } from '@countersign/protocol';
import type { Asked } from '../endpoints/refused.ts';
import type { Answering, Exchange } from './answering.ts';
import type { Connections } from './connections.ts';
import type { Flow, Handler, Target } from './exchange-flow.ts';
import type { Explain } from './failures.ts';

export type Route = {
  /** Only requests for this host name, whatever their port; left out: any that no other route claims. */
  readonly host?: string;
  /** Compared as it stands: case, slashes, percent signs and all. `{name}` stands for any one segment that is not empty. */
  readonly path: string;
  /** What is asked there, for whoever explains a refusal. */
  readonly asked?: Asked;
  /** Told of the query of a request with another method: what stood in it is in logs all the same. */
  readonly onWrongMethod?: (query: string) => void;
  /** A health probe: answered under overload, and to peers that are no declared proxy. */
  readonly isProbe?: boolean;
  /** Where a body may be longer than elsewhere. */
  readonly bodyBytesMax?: number;
  /** GET answers HEAD too; ANY every method there is. Whatever is not here is answered 405. */
  readonly methods: Partial<Readonly<Record<Method, Handler>>>;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'ANY';

type Place = {
  readonly targets: ReadonlyMap<string, Target>;
  readonly asked: Asked | undefined;
  readonly otherwise: Refusal;
  readonly onWrongMethod: ((query: string) => void) | undefined;
};

/** A path with names in it. There are few, and they are tried only when no path fits as it stands. */
type Pattern = { readonly segments: readonly string[]; readonly places: Places };
type Table = { readonly exact: ReadonlyMap<string, Places>; readonly patterns: readonly Pattern[] };

/** What stands at one path: for hosts of its own, and for all others under ''. */
type Places = ReadonlyMap<string, Place>;

const ANY_HOST = '';

type Parts = {
  readonly routes: readonly Route[];
  readonly nextId: () => string;
  readonly connections: Connections;
  readonly answering: Answering;
  readonly explain: Explain;
  readonly flow: Flow;
};

/** Makes the function that Node calls for every request. Throws when two routes are one. */
export function makeRouter(parts: Parts): RequestListener {
  const { nextId, connections, answering, explain, flow } = parts;
  const table = tableOf(parts.routes);

  return (request, response) => {
    const connection = connections.begin(request);
    if (connection === undefined) return;
    const exchange: Exchange = {
      id: nextId(),
      request,
      response,
      connection,
      asked: undefined,
    };
    try {
      const place = find(table, request);
      if (place === 'malformed') answering.refuseAndClose(exchange, refuse('malformed-message'));
      else if (place === undefined) answering.refuse(exchange, refuse('not-found'));
      else {
        exchange.asked = place.asked;
        const target = place.targets.get(request.method ?? '') ?? place.targets.get('ANY');
        if (target === undefined) {
          place.onWrongMethod?.(queryOf(request));
          answering.refuse(exchange, place.otherwise);
        } else flow.serve(target, exchange);
      }
    } catch (error) {
      // A fault of this layer: no endpoint's exception comes this far.
      answering.refuseAndClose(exchange, explain(error, exchange, ''));
    }
  };
}

function tableOf(routes: readonly Route[]): Table {
  const table = new Map<string, Map<string, Place>>();
  for (const route of routes) {
    const { path, host = ANY_HOST } = route;
    if (!path.startsWith('/') || /[?#\s]/.test(path)) throw new Error(`Not a path: ${path}`);
    const places = table.get(path) ?? new Map<string, Place>();
    if (places.has(host.toLowerCase())) throw new Error(`Two routes for one path: ${host}${path}`);
    places.set(host.toLowerCase(), placeOf(route));
    table.set(path, places);
  }
  const isPattern = (path: string): boolean => path.includes('{');
  return {
    exact: new Map([...table].filter(([path]) => !isPattern(path))),
    patterns: [...table]
      .filter(([path]) => isPattern(path))
      .map(([path, places]) => ({ segments: path.split('/'), places })),
  };
}

function placeOf(route: Route): Place {
  const { path, asked, isProbe = false, bodyBytesMax, methods, onWrongMethod } = route;
  const targets = new Map<string, Target>();
  const allowed: string[] = [];
  for (const [method, handle] of Object.entries(methods)) {
    if (handle === undefined) continue;
    const target = { path, asked, isProbe, handle, bodyBytesMax };
    targets.set(method, target);
    if (method === 'GET') targets.set('HEAD', target);
    allowed.push(...(method === 'GET' ? ['GET', 'HEAD'] : [method]));
  }
  const otherwise = refuse('method-not-allowed', { allow: allowed.sort().join(', ') });
  return { targets, asked, otherwise, onWrongMethod };
}

const ABSOLUTE = /^https?:\/\/([^/?#@]+)(?=[/?]|$)(.*)$/i;

function find(table: Table, request: IncomingMessage): Place | undefined | 'malformed' {
  const target = request.url ?? '';
  if (target.startsWith('/')) return lookUp(table, pathOf(target), request.headers.host);
  const [, authority, rest = ''] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined) return 'malformed';
  const path = pathOf(rest);
  return lookUp(table, path === '' ? '/' : path, authority);
}

function lookUp(
  { exact, patterns }: Table,
  path: string,
  authority: string | undefined,
): Place | undefined {
  const places = exact.get(path);
  if (places !== undefined || patterns.length === 0) return placeAt(places, authority);
  const segments = path.split('/');
  for (const pattern of patterns) {
    const params = paramsIn(segments, pattern.segments);
    if (params === undefined) continue;
    const place = placeAt(pattern.places, authority);
    if (place !== undefined) return withParams(place, params);
  }
  return undefined;
}

function paramsIn(
  segments: readonly string[],
  pattern: readonly string[],
): Record<string, string> | undefined {
  if (segments.length !== pattern.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, wanted] of pattern.entries()) {
    const segment = segments[at] ?? '';
    if (!wanted.startsWith('{')) {
      if (segment !== wanted) return undefined;
    } else if (segment === '') return undefined;
    else params[wanted.slice(1, -1)] = segment;
  }
  return params;
}

function withParams(place: Place, params: Readonly<Record<string, string>>): Place {
  const targets = new Map([...place.targets].map(([key, target]) => [key, { ...target, params }]));
  return { ...place, targets };
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

function queryOf({ url = '' }: IncomingMessage): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

function placeAt(places: Places | undefined, authority: string | undefined): Place | undefined {
  if (places === undefined) return undefined;
  const anywhere = places.get(ANY_HOST);
  // The usual listener has no route that is bound to a host, and then the host is not looked at.
  if (authority === undefined || (anywhere !== undefined && places.size === 1)) return anywhere;
  return places.get(hostName(authority)) ?? anywhere;
}

/** Host names are compared without case and port (RFC 9110 §4.2.3). */
function hostName(authority: string): string {
  return authority.replace(/:\d*$/, '').toLowerCase();
}
