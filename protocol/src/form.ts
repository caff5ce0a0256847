/**
 * Reads application/x-www-form-urlencoded bodies (RFC 6749 appendix B), strictly: what is ambiguous is refused instead of
 * repaired, since two readers that repair differently disagree on who is calling. Knows no parameter's meaning.
 */

import { knownParameter } from './parameter.ts';
import { type Refusal, refuse } from './refusal.ts';

/** The parameters of a form. An empty value counts as absent (RFC 6749 §3.2). */
export type Form = {
  /** The value of that name; the first one of a repeatable name. */
  get(name: string): string | undefined;
  /** All values of that name, in order. */
  all(name: string): readonly string[];
  /** Whether the name stands in the form at all, even with an empty value. */
  has(name: string): boolean;
};

export const FORM_PARAMETERS_MAX = 64;

/** RFC 6749 §3.2 forbids repeats; RFC 8707 §2 makes this one exception. */
const REPEATABLE: ReadonlySet<string> = new Set(['resource']);

/** ignoreBOM keeps a byte order mark as a character, which is then refused like any other. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
/** A form that was encoded correctly is printable ASCII without the space. */
const NOT_ENCODED = /[^\x21-\x7e]/;
const NONE: readonly string[] = Object.freeze([]);

/** Reads a form body, or says why it is none. Never throws, whatever the bytes. */
export function parseForm(body: Uint8Array): Form | Refusal {
  const text = DECODER.decode(body);
  if (NOT_ENCODED.test(text)) return refuse('malformed-form');
  const escaped = text.includes('%') || text.includes('+');
  const values = new Map<string, string>();
  let repeats: Map<string, string[]> | undefined;
  let count = 0;
  let next = 0;
  while (next < text.length) {
    const start = next;
    const ampersand = text.indexOf('&', start);
    const end = ampersand === -1 ? text.length : ampersand;
    next = end + 1;
    if (start === end) continue;
    // Before anything looks further: each pair may search the rest of the text, and only so many times.
    if (++count > FORM_PARAMETERS_MAX) return refuse('too-many-parameters');
    const equals = text.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    let name: string | undefined = text.slice(start, nameEnd);
    let value: string | undefined = text.slice(nameEnd + 1, end);
    if (escaped) {
      name = formDecoded(name);
      value = formDecoded(value);
      if (name === undefined || value === undefined) return refuse('malformed-form');
    }
    if (name === '') continue;
    const earlier = values.get(name);
    if (earlier === undefined) {
      values.set(name, value);
      continue;
    }
    if (!REPEATABLE.has(name)) {
      return refuse('repeated-parameter', { parameter: knownParameter(name) });
    }
    repeats ??= new Map();
    const list = repeats.get(name);
    if (list === undefined) repeats.set(name, [earlier, value]);
    else list.push(value);
  }
  return formOf(values, repeats);
}

function formOf(
  values: ReadonlyMap<string, string>,
  repeats: ReadonlyMap<string, readonly string[]> | undefined,
): Form {
  const all = (name: string): readonly string[] => {
    const value = values.get(name);
    if (value === undefined) return NONE;
    return (repeats?.get(name) ?? [value]).filter((each) => each !== '');
  };
  return {
    all,
    has: (name) => values.has(name),
    // `||`: an empty value counts as absent. A repeatable name may be empty first and not later.
    get: (name) => values.get(name) || (repeats?.has(name) ? all(name)[0] : undefined),
  };
}

/**
 * Undoes the encoding of one name or value; undefined when it is not one. `decodeURIComponent` refuses broken escapes,
 * overlong and otherwise invalid UTF-8 and lone surrogates, and replaces nothing.
 */
export function formDecoded(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    const plain = decodeURIComponent(spaced);
    // A NUL ends the string in other programs' eyes (RFC 6749 A.1, A.2 allow none).
    return plain.includes('\0') ? undefined : plain;
  } catch {
    return undefined;
  }
}
