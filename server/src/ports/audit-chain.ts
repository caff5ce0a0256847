/** How one line of the audit trail is tied to the line before it. Stores write by this rule, whoever audits recomputes it. */

import { hash } from 'node:crypto';

/**
 * Hash of an audit line, hexadecimal: SHA-256 over the previous line's hash, this line's number and its text, so that none can be
 * changed, moved or taken out unseen. The first line's previous hash is ''.
 */
export function auditHash(previousHash: string, sequence: number, line: string): string {
  return hash('sha256', `${previousHash}\n${sequence}\n${line}`);
}
