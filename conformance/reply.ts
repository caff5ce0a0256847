/** An answer as the tests read it, whichever way it came. */

export type Reply = {
  readonly status: number;
  /** By lower-case name; several lines of a name joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body as a JSON object. */
  readonly json: () => Readonly<Record<string, unknown>>;
};

/** An answer from its status, its header names and values in turn, and its body. */
export function replyOf(status: number, raw: readonly string[], body: string): Reply {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    const value = raw[at + 1] ?? '';
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { status, headers, body, json: () => JSON.parse(body) as Record<string, unknown> };
}
