/**
 * A string that must not be seen: every way of printing it gives `[redacted]`. Knows nothing of
 * what it holds.
 */

import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * Wraps a secret so that no log, error or template literal can show it by accident; `reveal` is the
 * only way out.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Every call is a place to look at in a review. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
