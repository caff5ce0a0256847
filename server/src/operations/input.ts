/** Checks of what operators type: each refusal names the parameter and says what would do. */

import { ChangeRefused } from '../ports/store.ts';

const NAME_LENGTH_MAX = 200;
const REASON_LENGTH_MAX = 500;
/** Control characters, line and paragraph separators, and the marks that reverse reading order: they forge lines of logs and tables. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

export function requireName(name: string): string {
  return requireText('NAME', name, NAME_LENGTH_MAX);
}

export function requireReason(reason: string): string {
  return requireText('--reason', reason, REASON_LENGTH_MAX);
}

function requireText(parameter: string, text: string, lengthMax: number): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new ChangeRefused('invalid', `${parameter} must not be empty`);
  if (trimmed.length > lengthMax) {
    throw new ChangeRefused('invalid', `${parameter} may have ${lengthMax} characters at most`);
  }
  if (UNPRINTABLE.test(trimmed)) {
    throw new ChangeRefused('invalid', `${parameter} must be one line of printable text`);
  }
  return trimmed;
}
