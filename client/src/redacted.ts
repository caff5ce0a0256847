/** A text that must not be seen: it prints as `[redacted]` wherever it turns up, unless it is told to reveal itself. */

const SHOWN = '[redacted]';

export class Redacted {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  // What console.log of Node, Deno and Bun ask for.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }

  [Symbol.for('Deno.customInspect')](): string {
    return SHOWN;
  }
}
