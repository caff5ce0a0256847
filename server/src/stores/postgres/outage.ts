/** Tells what PostgreSQL cannot do now from what it will never do. Knows its error codes and nothing of what was asked. */

import { ChangeRefused, StoreUnavailable } from '../../ports/store.ts';

/**
 * Classes of SQLSTATE that mean "not now" or "not here": connection, authorisation, resources, operator, system; read-only (a
 * standby), lock not to be had in time.
 */
const OUTAGE_CLASSES = new Set(['08', '28', '53', '57', '58']);
const READ_ONLY = '25006';
const OUTAGE_CODES = new Set([
  READ_ONLY,
  '25P02',
  '25P03',
  '25P04',
  '3D000',
  '55P03',
  '40001',
  '40P01',
]);
/** The transaction was taken back because of another one: done again, it may go through. */
const RETRY_CODES = new Set(['40001', '40P01']);
/** "Warning": of a commit it says that a synchronous standby has not confirmed it. */
const UNCONFIRMED_CODE = '01000';

/** How the client library words the end of a connection; it gives no code. */
const CLIENT_TEXTS = /^(Connection terminated|Client has encountered|timeout|The server does not)/;

type Coded = Error & { readonly code?: unknown; readonly severity?: unknown };

/**
 * Whether the server answered, so that its connection is still of use. One that cannot write any more has become a standby: the next
 * connection goes where the name now leads.
 */
export function isAnswer(error: unknown): boolean {
  if (error instanceof ChangeRefused) return true;
  const { severity, code } = error as Coded;
  return severity === 'ERROR' && code !== READ_ONLY;
}

export function isWorthRepeating(error: unknown): boolean {
  return RETRY_CODES.has(String((error as Coded).code));
}

export function isUnconfirmed(notice: { readonly code?: string | undefined }): boolean {
  return notice.code === UNCONFIRMED_CODE;
}

/** The error as the rest of the server knows it: an outage, a refusal, or a fault of ours left as it is. */
export function asOutage(error: unknown): unknown {
  if (error instanceof ChangeRefused || error instanceof StoreUnavailable) return error;
  const { code, severity, message } = error as Coded;
  const state = typeof code === 'string' ? code : '';
  // Without a severity it is none of the server's own errors: the network's, or the client's about it.
  const isNetwork = severity === undefined && (state !== '' || CLIENT_TEXTS.test(message));
  const isOutage = isNetwork || OUTAGE_CODES.has(state) || OUTAGE_CLASSES.has(state.slice(0, 2));
  if (!isOutage) return error;
  return new StoreUnavailable(`the database cannot be used: ${message || state}`, { cause: error });
}
