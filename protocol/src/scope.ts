/** Scopes: their grammar, their one canonical spelling, and what of them a client is granted. Knows no scope's meaning. */

import { type RefusalOf, refuse } from './refusal.ts';

export const SCOPE_LENGTH_MAX = 4096;
export const SCOPE_NAMES_MAX = 128;

/** RFC 6749 §3.3: scope-token = 1*NQCHAR. */
const NAME = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** RFC 6749 §3.3: scope = scope-token *( SP scope-token ). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

export type ScopeGrant = {
  /** Sorted, without repeats. */
  readonly names: readonly string[];
  /** The names with one space between them; '' for an empty grant. */
  readonly canonical: string;
};

/** Whether a text can be the name of a scope. */
export function validScopeName(name: string): boolean {
  return name.length <= SCOPE_LENGTH_MAX && NAME.test(name);
}

/** Reads a scope parameter into its names, as asked for: order and repeats stand. */
export function parseScope(text: string): readonly string[] | RefusalOf<'scope-malformed'> {
  if (text.length > SCOPE_LENGTH_MAX || !SCOPE.test(text)) return refuse('scope-malformed');
  const names = text.split(' ');
  return names.length > SCOPE_NAMES_MAX ? refuse('scope-malformed') : names;
}

/** The one spelling of a set of scopes: sorted by code unit, without repeats, one space between. */
export function canonicalScope(names: readonly string[]): string {
  return canonicalNames(names).join(' ');
}

/**
 * Grants what was asked for if the client may have all of it, and everything it may have if it did not ask (RFC 6749 §3.3: the
 * documented default). Nothing is ever granted in part. Names are compared exactly, with case.
 */
export function grantScope(
  requested: readonly string[] | undefined,
  allowed: readonly string[],
): ScopeGrant | RefusalOf<'scope-not-allowed'> {
  if (requested?.some((name) => !allowed.includes(name))) return refuse('scope-not-allowed');
  const names = canonicalNames(requested ?? allowed);
  return { names, canonical: names.join(' ') };
}

/** Returns the very array when it is canonical already, which allowed scopes are. */
function canonicalNames(names: readonly string[]): readonly string[] {
  const ascends = names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name);
  return ascends ? names : [...new Set(names)].sort();
}
