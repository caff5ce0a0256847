/** One request and its answer as an endpoint sees them: no server library, no socket, nothing to await. */

import type { Sink } from '../replica/subscriptions.ts';

export type Incoming = {
  /** Names this request in the answer's header and in the log. */
  readonly requestId: string;
  /** The caller's textual IP address, after declared proxies. */
  readonly address: string;
  /** The textual IP address of the socket's other end: a proxy's, where one stands before us. */
  readonly peer?: string;
  /** The raw query string without the question mark; '' when there is none. */
  readonly query: string;
  /** Every Authorization header line, in order: the server library would show only the first. */
  readonly authorization: readonly string[];
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
  /** What stands in the path where the route has a name in braces; as it came, undecoded. */
  readonly params?: Readonly<Record<string, string>>;
  /** All header lines, names and values in turn. */
  readonly headers?: readonly string[];
};

export type Answer = {
  /** Takes the place of the request's own id in the answer: that of a refusal says why, to whoever can open it. */
  readonly requestId?: string;
  readonly status: number;
  /** Beyond those that every answer carries (`Cache-Control`, request id, …). */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, or '' for none. */
  readonly body: string;
  /** Goes on writing after the headers, instead of a body, until one side ends it. */
  readonly stream?: (sink: Sink) => void;
};

/** The one value of a header; undefined when it is not there, or stands there twice. */
export function headerOf(incoming: Incoming, name: string): string | undefined {
  const values = headerValues(incoming, name);
  return values.length === 1 ? values[0] : undefined;
}

/** Every value of a header, in order. */
export function headerValues({ headers = [] }: Incoming, name: string): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const written = headers[at] as string;
    // The length sorts out most of them before a letter is looked at.
    if (written.length === name.length && written.toLowerCase() === name) {
      values.push(headers[at + 1] as string);
    }
  }
  return values;
}
