/** HTML by template: every value is escaped unless it is HTML already. Knows no page. */

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that needs no escaping any more; made by `html` alone. */
export class Html {
  readonly #text: string;

  constructor(parts: readonly string[], values: readonly Value[]) {
    this.#text = parts.map((part, at) => part + textOf(values[at])).join('');
  }

  toString(): string {
    return this.#text;
  }
}

type Value = string | number | Html | readonly Html[] | undefined;

/** The tag of a template. Values may stand in text and in quoted attributes; `undefined` is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts, values);
}

function textOf(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map((one: Html) => textOf(one)).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPED[character] ?? '');
}
