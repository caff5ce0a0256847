/**
 * POST /leaks/github: the alerts of GitHub's secret scanning partner programme, on the way of every found credential. Its sender proves
 * itself by a signature over the raw body, and is told of each credential whether it is, or was, one of ours: nobody else is.
 */

import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { isRefusal, type Refusal, refuse } from '@countersign/protocol';
import { answering, type Decision } from './answering.ts';
import type { Authority } from './context.ts';
import { type Answer, headerOf, type Incoming } from './exchange.ts';
import type { Leak } from './leak-desk.ts';
import { workOnLeaks } from './leaked-credentials.ts';
import { parsedJson, refuseFrequent } from './leaks.ts';

const ACTOR = 'leak-scanner:github';
/** Alerts in one message. */
const ALERTS_MAX = 1_000;
const SIGNATURE_LENGTH_MAX = 200;
/** A place that people can open, and nothing that could be a credential in its query. */
const PLACE = /^https:\/\/[0-9a-z.-]{1,100}\/[0-9A-Za-z._~/@%+-]{0,400}(?:#L\d+)?$/;

/** The keys that alerts are signed with, by their names. */
export type SignerKeys = {
  /** PEM; undefined: there is none of that name. Throws when that cannot be told now. */
  find(name: string): Promise<string | undefined>;
};

type Alert = { readonly token: string; readonly type: string; readonly url: string };

/** The handler below one issuer. */
export function githubAlertsEndpoint(
  authority: Authority,
  environment: { readonly ordinal: number; readonly name: string },
  keys: SignerKeys,
): (incoming: Incoming) => Answer | Promise<Answer> {
  return answering(authority, { endpoint: 'leaks', environment }, (incoming) =>
    takeAlerts(authority, incoming, keys),
  );
}

async function takeAlerts(
  authority: Authority,
  incoming: Incoming,
  keys: SignerKeys,
): Promise<Decision> {
  const { reportAdmission, clock } = authority;
  // A signature costs more to check than to make up, most of all over a long body.
  if (reportAdmission.isSpent(incoming.address, clock.monotonicMs())) {
    return refuseFrequent(authority, incoming) ?? refuse('signature-invalid');
  }
  const signer = await signerOf(incoming, keys);
  // Who cannot sign is throttled like every stranger; who can is not counted.
  if (isRefusal(signer)) return refuseFrequent(authority, incoming) ?? signer;
  const alerts = alertsOf(incoming.body);
  if (isRefusal(alerts)) return alerts;
  const known = await workOnLeaks(authority, alerts.map(leakOf));
  const labels = alerts.map(({ token, type }, index) => ({
    // Their protocol takes the hash as well, and so no answer of ours holds a credential.
    token_hash: hash('sha256', token),
    token_type: type,
    label: known[index] === true ? 'true_positive' : 'false_positive',
  }));
  return { status: 200, body: JSON.stringify(labels) };
}

async function signerOf(incoming: Incoming, keys: SignerKeys): Promise<'github' | Refusal> {
  const name = headerOf(incoming, 'github-public-key-identifier');
  const signature = headerOf(incoming, 'github-public-key-signature');
  if (name === undefined || signature === undefined || signature.length > SIGNATURE_LENGTH_MAX) {
    return refuse('signature-invalid');
  }
  let pem: string | undefined;
  try {
    pem = await keys.find(name);
  } catch {
    return refuse('signer-keys-unavailable');
  }
  const key = pem === undefined ? undefined : p256Key(pem);
  if (key === undefined) return refuse('signature-invalid');
  const isRight = verify('sha256', incoming.body, key, Buffer.from(signature, 'base64'));
  return isRight ? 'github' : refuse('signature-invalid');
}

/** ECDSA-NIST-P256V1-SHA256 is the one algorithm of the programme: a key of another kind is none. */
function p256Key(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    const isP256 = key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return key.asymmetricKeyType === 'ec' && isP256 ? key : undefined;
  } catch {
    return undefined;
  }
}

function alertsOf(body: Uint8Array): readonly Alert[] | Refusal {
  const list = parsedJson(body);
  if (!Array.isArray(list) || list.length > ALERTS_MAX) return refuse('report-malformed');
  const alerts = list.map((entry: Partial<Alert> | null) => {
    const { token, type, url } = entry ?? {};
    if (typeof token !== 'string' || typeof type !== 'string') return undefined;
    return { token, type, url: typeof url === 'string' ? url : '' };
  });
  return alerts.every((alert) => alert !== undefined) ? alerts : refuse('report-malformed');
}

function leakOf({ token, url }: Alert): Leak {
  const isPlace = PLACE.test(url) && !url.includes(token);
  return {
    text: token,
    source: { actor: ACTOR, where: isPlace ? `${ACTOR} ${url}` : ACTOR, isUrl: false },
  };
}
