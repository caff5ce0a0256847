/**
 * POST /leaks: whoever holds a credential that is not theirs may end it, without a word of who they are. Always 202 with one body at the
 * next tick: whether the credential was live is told to nobody.
 *
 * | refused because                                     | on the wire                     |
 * |-----------------------------------------------------|---------------------------------|
 * | this address reports too often                      | 429 temporarily_unavailable     |
 * | neither form nor JSON, or not in the documented way | 400, 415 invalid_request        |
 * | too much is waiting                                 | 503 temporarily_unavailable     |
 */

import {
  credentialInQuery,
  formMediaType,
  isRefusal,
  parseForm,
  type Refusal,
  refuse,
} from '@countersign/protocol';
import { answering, type Decision } from './answering.ts';
import type { Authority } from './context.ts';
import type { Answer, Incoming } from './exchange.ts';
import { reportExposure } from './exposures.ts';

/** More in one request are refused: send another. */
const CREDENTIALS_MAX = 50;

const TAKEN: Answer = { status: 202, body: '{"status":"taken"}' };
const SOURCE = { actor: 'leak-report', where: 'leak-report', isUrl: false };
const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?$/i;

/** The handler of the leak intake below one issuer. Which environment a credential is of, its own tag says. */
export function leaksEndpoint(
  authority: Authority,
  environment: { readonly ordinal: number; readonly name: string },
): (incoming: Incoming) => Answer | Promise<Answer> {
  return answering(authority, { endpoint: 'leaks', environment }, (incoming) =>
    report(authority, incoming),
  );
}

function report(authority: Authority, incoming: Incoming): Decision | Promise<Decision> {
  const { leaks } = authority;
  const throttled = refuseFrequent(authority, incoming);
  if (throttled !== undefined) return throttled;
  const exposed = credentialInQuery(incoming.query);
  if (exposed !== undefined) {
    reportExposure(authority, exposed);
    return refuse(exposed.secret === undefined ? 'token-in-query' : 'credentials-in-query');
  }
  const credentials = credentialsOf(incoming);
  if (isRefusal(credentials)) return credentials;
  if (!leaks.hasRoom(credentials.length)) return refuse('overloaded');
  leaks.take(credentials.map((text) => ({ text, source: SOURCE })));
  return leaks.tick().then(() => TAKEN);
}

/** Turns away an address that reports more often than people and scanners do. */
export function refuseFrequent(
  { reportAdmission, clock }: Authority,
  { address }: Incoming,
): Refusal | undefined {
  const waitMs = reportAdmission.waitMs(address, clock.monotonicMs());
  return waitMs === 0
    ? undefined
    : refuse('too-many-reports', { retryAfterSeconds: waitMs / 1_000 });
}

/** The credentials of a report, without repeats. */
function credentialsOf(incoming: Incoming): readonly string[] | Refusal {
  const isJson = JSON_TYPE.test(incoming.contentType ?? '');
  const listed = isJson ? ofJson(incoming.body) : ofForm(incoming);
  if (isRefusal(listed)) return listed;
  const credentials = [...new Set(listed)];
  const fits = credentials.length > 0 && credentials.length <= CREDENTIALS_MAX;
  return fits ? credentials : refuse('report-malformed');
}

/** White space separates them, so that a file of finds can be sent as it is. */
function ofForm({ contentType, body }: Incoming): readonly string[] | Refusal {
  const media = formMediaType(contentType);
  if (isRefusal(media)) return media;
  const form = parseForm(body);
  if (isRefusal(form)) return form;
  return (form.get('credentials') ?? '').split(/\s+/).filter((text) => text !== '');
}

function ofJson(body: Uint8Array): readonly string[] | Refusal {
  const parsed = parsedJson(body);
  const { credentials = undefined } = (parsed ?? {}) as { readonly credentials?: unknown };
  const list = typeof credentials === 'string' ? [credentials] : credentials;
  if (!Array.isArray(list)) return refuse('report-malformed');
  const texts = list.filter((text) => typeof text === 'string' && text.trim() !== '');
  return texts.length === list.length
    ? texts.map((text: string) => text.trim())
    : refuse('report-malformed');
}

/** Undefined for what is no JSON. */
export function parsedJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
