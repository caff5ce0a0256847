/** Checks of what operators type: each refusal names the parameter and says what would do. */

import {
  canonicalScope,
  RESOURCE_LENGTH_MAX,
  SCOPE_NAMES_MAX,
  validResource,
  validScopeName,
} from '@countersign/protocol';
import { TOKEN_LIFETIME_SECONDS_MAX } from '../credentials/access-token.ts';
import { tagOfClientId } from '../credentials/identifiers.ts';
import { OPERATORS } from '../ports/model.ts';
import { ChangeRefused } from '../ports/store.ts';

const NAME_LENGTH_MAX = 200;
const REASON_LENGTH_MAX = 500;
/** Resources of one client. */
const RESOURCES_MAX = 64;
/** Ids are shorter than secrets and tokens, so that one of those, given by mistake, is refused without being repeated. */
const ID = /^[a-z][0-9A-Za-z_]{0,47}$/;
const ENVIRONMENT_NAME = /^[a-z][a-z0-9-]{0,31}$/;
/** Control characters, line and paragraph separators, and the marks that reverse reading order: they forge lines of logs and tables. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

export function requireName(parameter: string, name: string): string {
  return requireText(parameter, name, NAME_LENGTH_MAX);
}

/** The name of a secret, if it is given one. */
export function optionalName(name: string | undefined): string | undefined {
  return name === undefined ? undefined : requireName('--name', name);
}

export function requireReason(reason: string): string {
  return requireText('--reason', reason, REASON_LENGTH_MAX);
}

/** The program of the bank's own operators is none that these operations are for. */
export function requireProgramId(id: string): string {
  if (id !== OPERATORS.programId) return requireAnyProgramId(id);
  throw new ChangeRefused(
    'not-found',
    `${id} is the program of your own operators; see 'countersign operator list'`,
  );
}

export function requireAnyProgramId(id: string): string {
  return requireId('the program id', id, "'countersign program list'");
}

/** Operators are clients too, and none that these operations are for: whoever could give one a secret would have its role. */
export function requireClientId(id: string): string {
  if (tagOfClientId(id) === OPERATORS.tag) {
    throw new ChangeRefused(
      'not-found',
      "CLIENT_ID is an operator's; 'countersign operator --help' tells what can be done with it",
    );
  }
  return requireId('CLIENT_ID', id, "'countersign client list'");
}

export function requireSecretId(id: string): string {
  return requireId('SECRET_ID', id, "'countersign secret list CLIENT_ID'");
}

export function requireApprovalId(id: string): string {
  return requireId('the approval id', id, "'countersign approval list'");
}

export function requireClaimId(id: string): string {
  return requireId('CLAIM_ID', id, "'countersign claim list'");
}

export function requireEnvironmentName(name: string): string {
  if (ENVIRONMENT_NAME.test(name)) return name;
  throw invalid('--environment must be the name of an environment, such as sandbox');
}

/** Scope names in their one order, without repeats. */
export function requireScopeNames(names: readonly string[]): readonly string[] {
  for (const name of names) requireScopeName('--scope', name);
  if (names.length > SCOPE_NAMES_MAX) {
    throw invalid(`--scope may name ${SCOPE_NAMES_MAX} scopes at most`);
  }
  const canonical = canonicalScope(names);
  return canonical === '' ? [] : canonical.split(' ');
}

export function requireScopeName(parameter: string, name: string): string {
  if (validScopeName(name)) return name;
  throw invalid(
    `${parameter} must be made of printable ASCII without spaces, quotes and backslashes, such as accounts:read`,
  );
}

export function requireResource(parameter: string, uri: string): string {
  if (validResource(uri)) return uri;
  throw invalid(
    `${parameter} must be an absolute URI without a fragment, such as https://api.bank.example, ` +
      `of ${RESOURCE_LENGTH_MAX} characters at most`,
  );
}

/** Resource URIs without repeats. */
export function requireResources(uris: readonly string[]): readonly string[] {
  const distinct = [...new Set(uris.map((uri) => requireResource('--resource', uri)))];
  if (distinct.length <= RESOURCES_MAX) return distinct;
  throw invalid(`--resource may be given ${RESOURCES_MAX} times at most`);
}

export function requireTokenLifetime(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= TOKEN_LIFETIME_SECONDS_MAX) {
    return seconds;
  }
  throw invalid(
    `--token-lifetime must be a whole number of seconds from 1 to ${TOKEN_LIFETIME_SECONDS_MAX}`,
  );
}

/** A moment at which something is to end: after now. */
export function requireFuture(parameter: string, atMs: number, nowMs: number): number {
  if (atMs > nowMs) return atMs;
  throw invalid(`${parameter} must lie in the future, not at ${new Date(atMs).toISOString()}`);
}

/** A whole number typed as text. */
export function parseWhole(
  parameter: string,
  text: string,
  range: { readonly min: number; readonly max: number },
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw invalid(`${parameter} must be a whole number from ${range.min} to ${range.max}`);
}

export function invalid(message: string): ChangeRefused {
  return new ChangeRefused('invalid', message);
}

function requireId(parameter: string, id: string, shownBy: string): string {
  if (ID.test(id)) return id;
  throw invalid(`${parameter} has not the form of one; ${shownBy} shows the ones there are`);
}

function requireText(parameter: string, text: string, lengthMax: number): string {
  const trimmed = text.trim();
  if (trimmed === '') throw invalid(`${parameter} must not be empty`);
  if (trimmed.length > lengthMax) {
    throw invalid(`${parameter} may have ${lengthMax} characters at most`);
  }
  if (UNPRINTABLE.test(trimmed)) {
    throw invalid(`${parameter} must be one line of printable text`);
  }
  return trimmed;
}
