/**
 * The header lines of a request that this layer acts on, read once from the raw list, since the server's own table keeps
 * only the first of several equal lines and hides the others.
 */

export type Head = {
  host: string | undefined;
  contentType: string | undefined;
  contentLength: string | undefined;
  contentEncoding: string | undefined;
  transferEncoding: string | undefined;
  expectsContinue: boolean;
  /** A line that must stand once stands twice. */
  repeated: boolean;
  authorization: readonly string[];
  forwardedFor: string;
  forwardedProto: string;
};

const NONE: readonly string[] = Object.freeze([]);

/** Reads the alternating names and values of a request. */
export function readHead(raw: readonly string[]): Head {
  const head: Head = {
    host: undefined,
    contentType: undefined,
    contentLength: undefined,
    contentEncoding: undefined,
    transferEncoding: undefined,
    expectsContinue: false,
    repeated: false,
    authorization: NONE,
    forwardedFor: '',
    forwardedProto: '',
  };
  for (let at = 0; at + 1 < raw.length; at += 2) {
    readLine(head, raw[at] as string, raw[at + 1] as string);
  }
  return head;
}

/** The length sorts out most names before any letter is compared: this runs for every line of every request. */
function readLine(head: Head, name: string, value: string): void {
  switch (name.length) {
    case 4:
      if (!is(name, 'host')) return;
      head.repeated ||= head.host !== undefined;
      head.host = value;
      return;
    case 6:
      if (is(name, 'expect')) head.expectsContinue = value.toLowerCase() === '100-continue';
      return;
    case 12:
      if (!is(name, 'content-type')) return;
      head.repeated ||= head.contentType !== undefined;
      head.contentType = value;
      return;
    case 13:
      if (is(name, 'authorization')) head.authorization = [...head.authorization, value];
      return;
    case 14:
      if (!is(name, 'content-length')) return;
      head.repeated ||= head.contentLength !== undefined;
      head.contentLength = value;
      return;
    case 15:
      if (is(name, 'x-forwarded-for')) head.forwardedFor = join(head.forwardedFor, value);
      return;
    case 16:
      if (is(name, 'content-encoding')) head.contentEncoding = join(head.contentEncoding, value);
      return;
    case 17:
      if (is(name, 'x-forwarded-proto')) head.forwardedProto = join(head.forwardedProto, value);
      if (is(name, 'transfer-encoding')) head.transferEncoding = join(head.transferEncoding, value);
  }
}

function is(name: string, wanted: string): boolean {
  return name === wanted || name.toLowerCase() === wanted;
}

/** RFC 9110 §5.3: several lines of one list header are one list. */
function join(before: string | undefined, value: string): string {
  return before === undefined || before === '' ? value : `${before},${value}`;
}

/** `Host = uri-host [ ":" port ]` (RFC 9110 §7.2), by its characters alone. */
const HOST = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]*$/;

/** Whether the framing or the addressing of a request is not what it must be; such a connection is not trusted further. */
export function isMalformed(head: Head, httpVersion: string): boolean {
  if (head.repeated) return true;
  // RFC 9112 §3.2: no Host, or an invalid one, is answered 400.
  if (head.host === undefined ? httpVersion !== '1.0' : !HOST.test(head.host)) return true;
  if (head.transferEncoding === undefined) return false;
  // RFC 9112 §6.1: codings that are not understood, and any coding in HTTP/1.0, are faulty framing.
  return httpVersion === '1.0' || head.transferEncoding.toLowerCase() !== 'chunked';
}

/** Whether content follows the head. */
export function hasBody(head: Head): boolean {
  if (head.transferEncoding !== undefined) return true;
  return head.contentLength !== undefined && head.contentLength !== '0';
}

/** Whether the body, if any, is known to be at most `bytesMax` long. */
export function isSmall(head: Head, bytesMax: number): boolean {
  if (head.transferEncoding !== undefined) return false;
  return head.contentLength === undefined || Number(head.contentLength) <= bytesMax;
}
