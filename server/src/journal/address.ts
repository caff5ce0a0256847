/** IP addresses as 16 bytes and back; knows nothing of who calls or why. */

export const ADDRESS_BYTES = 16;

const IPV6_GROUPS = 8;
const DOT = 46;
const ZERO = 48;

/** Writes `text` as 16 bytes at `offset`: IPv4 as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), what cannot be read as zeros. */
export function writeAddress(text: string, bytes: Uint8Array, offset: number): void {
  bytes.fill(0, offset, offset + ADDRESS_BYTES);
  if (writeIpv4(text, bytes, offset + 12)) {
    bytes[offset + 10] = 0xff;
    bytes[offset + 11] = 0xff;
    return;
  }
  const groups = text.includes(':') ? parseIpv6(text) : undefined;
  for (let index = 0; groups !== undefined && index < IPV6_GROUPS; index += 1) {
    const group = groups[index] ?? 0;
    bytes[offset + 2 * index] = group >> 8;
    bytes[offset + 2 * index + 1] = group & 0xff;
  }
}

/** The text of 16 bytes in canonical form (RFC 5952); IPv4-mapped addresses as dotted quads; zeros as `::`. */
export function readAddress(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let index = 0; index < ADDRESS_BYTES; index += 2) {
    groups.push(((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0));
  }
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return mapped ? bytes.subarray(12, ADDRESS_BYTES).join('.') : formatIpv6(groups);
}

/** One pass over the characters, as nearly every caller comes over IPv4. Leaves its bytes at zero on failure. */
function writeIpv4(text: string, bytes: Uint8Array, offset: number): boolean {
  let value = 0;
  let digits = 0;
  let packed = 0;
  let dots = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const digit = code - ZERO;
    if (code === DOT && digits > 0 && dots < 3) {
      packed = packed * 256 + value;
      dots += 1;
      value = 0;
      digits = 0;
    } else if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits += 1;
      if (value > 255 || digits > 3) return false;
    } else {
      return false;
    }
  }
  if (dots !== 3 || digits === 0) return false;
  packed = packed * 256 + value;
  for (let index = 3; index >= 0; index -= 1) {
    bytes[offset + index] = packed % 256;
    packed = Math.floor(packed / 256);
  }
  return true;
}

/** Eight groups, or undefined when `text` is no IPv6 address. A zone (`%eth0`) is left out: it means nothing elsewhere. */
function parseIpv6(text: string): readonly number[] | undefined {
  const halves = (text.split('%', 1)[0] ?? '').split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '');
  const tail = parseGroups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = IPV6_GROUPS - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : undefined;
  return missing > 0 ? [...head, ...new Array<number>(missing).fill(0), ...tail] : undefined;
}

function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    const quad = new Uint8Array(4);
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else if (text.endsWith(part) && writeIpv4(part, quad, 0)) {
      groups.push(((quad[0] ?? 0) << 8) | (quad[1] ?? 0), ((quad[2] ?? 0) << 8) | (quad[3] ?? 0));
    } else {
      return undefined;
    }
  }
  return groups;
}

function formatIpv6(groups: readonly number[]): string {
  let start = 0;
  let length = 0;
  for (let index = 0; index < IPV6_GROUPS; index += 1) {
    let end = index;
    while (end < IPV6_GROUPS && groups[end] === 0) end += 1;
    if (end - index > length) [start, length] = [index, end - index];
  }
  const hexadecimal = groups.map((group) => group.toString(16));
  // RFC 5952 §4.2.2: a single group of zeros is not shortened.
  if (length < 2) return hexadecimal.join(':');
  return `${hexadecimal.slice(0, start).join(':')}::${hexadecimal.slice(start + length).join(':')}`;
}
