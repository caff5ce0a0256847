/** One request, to be sent over and over. Knows no load generator. */

export type Target = {
  readonly url: string;
  /** Parameters of a POST, maybe with secrets: they go into a file or a pipe, never onto a command line. Without: a GET. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What is asked, so that the same question to different servers can be compared. */
export type Kind = 'token' | 'introspect' | 'verify';
export type Targets = Readonly<Partial<Record<Kind, Target>>>;

/** The form as it is sent; undefined for a GET. */
export function bodyOf({ form }: Target): string | undefined {
  return form === undefined ? undefined : new URLSearchParams(form).toString();
}

/** All headers that a request needs besides those of the connection. */
export function headersOf(target: Target): Readonly<Record<string, string>> {
  if (target.form === undefined) return { ...target.headers };
  return { 'Content-Type': 'application/x-www-form-urlencoded', ...target.headers };
}

/** The whole request as it stands on the wire, in ASCII. */
export function requestOf(target: Target): string {
  const { host, pathname, search } = new URL(target.url);
  const body = bodyOf(target) ?? '';
  const headers = { Host: host, ...headersOf(target) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = target.form === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const method = target.form === undefined ? 'GET' : 'POST';
  return `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body}`;
}

const ANSWER_MS_MAX = 10_000;

/**
 * The body of one answer; rejects when it is not 200, or not there in ten seconds. On a connection of its own: of one that was kept
 * to a server that stood still meanwhile, neither an answer nor an error may ever come.
 */
export async function answerOf(target: Target): Promise<string> {
  const body = bodyOf(target);
  const sent = body === undefined ? {} : { method: 'POST', body };
  const headers = { ...headersOf(target), Connection: 'close' };
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const answer = await fetch(target.url, { headers, signal, ...sent });
  const text = await answer.text();
  if (answer.status === 200) return text;
  throw new Error(`${target.url} answered ${answer.status}: ${text}`);
}
