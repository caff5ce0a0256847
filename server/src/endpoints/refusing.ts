/**
 * What every refusal to an outsider leaves behind, whoever refuses: an id that explains itself to support, and a line in the log under it.
 * Lines are bounded, so that nobody fills a disk by being refused; ids need no line.
 */

import { errorBody, REASON_CODES, type Reason, type Refusal, wireOf } from '@countersign/protocol';
import { NODE_BYTES, type RequestIdKey, sealRequestId } from '../credentials/request-id.ts';
import type { Clock } from '../ports/clock.ts';
import { ENDPOINT_CODES, type EndpointName } from '../ports/endpoint-names.ts';
import type { Log } from '../ports/log.ts';
import type { Answer } from './exchange.ts';

/** Lines at once; then one each `LINE_REFILL_MS`: some 100 MB a day at the very most. */
const LINES_MAX = 500;
const LINE_REFILL_MS = 200;
/** How often it is said what was left out, while there is something. */
const LEFT_OUT_INTERVAL_MS = 10_000;

/** What was asked, as far as that is known. */
export type Asked = {
  readonly endpoint: EndpointName;
  readonly environment?: { readonly ordinal: number; readonly name: string };
};

export type RefusedAt = Partial<Asked> & {
  /** As the node counts its requests. */
  readonly requestId: string;
  readonly address: string;
  /** Whoever refuses writes a line that says more. */
  readonly isLoggedElsewhere?: true;
};

/** Who was refused, as far as that is known: public names and ordinals only. */
export type RefusedParty = {
  readonly client?: { readonly ordinal: number; readonly clientId: string } | undefined;
  /** Ordinal of the client's secret that was presented. */
  readonly secret?: number | undefined;
};

export type Refusing = {
  /** The answer to a refused request, which carries its id. */
  refuse(refusal: Refusal, at: RefusedAt, party?: RefusedParty): Answer;
  /** Of a refusal that the caller is not told of, and whose answer has the id of any other. */
  note(refusal: Refusal, at: RefusedAt, party?: RefusedParty): void;
};

export function newRefusing(deps: {
  /** What ids are sealed under; while there is none they are plain, and explain nothing. */
  readonly key: () => RequestIdKey | undefined;
  readonly clock: Clock;
  readonly log: Log;
}): Refusing {
  const { key, clock } = deps;
  const logged = newRefusalLog(deps);
  return {
    note: ({ reason }, at, party = {}) => logged(reason, at.requestId, { at, party }),
    refuse: (refusal, at, party = {}) => {
      const sealing = key();
      const requestId =
        sealing === undefined
          ? at.requestId
          : sealedId(sealing, refusal.reason, { at, party, atMs: clock.wallMs() });
      if (at.isLoggedElsewhere !== true) logged(refusal.reason, requestId, { at, party });
      const wire = wireOf(refusal);
      return { requestId, status: wire.status, headers: wire.headers, body: errorBody(wire) };
    },
  };
}

function sealedId(
  key: RequestIdKey,
  reason: Reason,
  of: { readonly at: RefusedAt; readonly party: RefusedParty; readonly atMs: number },
): string {
  const { at, party, atMs } = of;
  return sealRequestId(key, {
    atMs,
    reason: REASON_CODES[reason],
    environment: at.environment?.ordinal ?? 0,
    endpoint: ENDPOINT_CODES[at.endpoint ?? ''],
    client: party.client?.ordinal ?? 0,
    secret: party.secret ?? 0,
    ...placeOfRequest(at.requestId),
  });
}

/** The parts of a request's own id (`http/request-ids.ts`): the start of the process in hexadecimal, and its count. */
function placeOfRequest(requestId: string): { node: Buffer; count: number } {
  const node = Buffer.alloc(NODE_BYTES);
  node.write(requestId.slice(0, 2 * NODE_BYTES), 'hex');
  const count = Number.parseInt(requestId.slice(2 * NODE_BYTES + 1), 36);
  return { node, count: Number.isSafeInteger(count) ? count : 0 };
}

type Told = { readonly at: RefusedAt; readonly party: RefusedParty };

/** Writes a line for each refusal as long as there are not very many, and counts by reason what it leaves out. */
function newRefusalLog({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
  let lines = LINES_MAX;
  let refilledMs = clock.monotonicMs();
  let leftOutSinceMs = 0;
  let leftOut = new Map<Reason, number>();

  const tellLeftOut = (nowMs: number): void => {
    const isDue = leftOut.size > 0 && nowMs - leftOutSinceMs >= LEFT_OUT_INTERVAL_MS;
    if (!isDue) return;
    const seconds = Math.round((nowMs - leftOutSinceMs) / 1000);
    log.warn(
      { seconds, leftOut: Object.fromEntries(leftOut) },
      'refusals without a line of their own',
    );
    leftOut = new Map();
  };

  return (reason: Reason, requestId: string, { at, party }: Told): void => {
    const nowMs = clock.monotonicMs();
    const refill = Math.floor((nowMs - refilledMs) / LINE_REFILL_MS);
    lines = Math.min(LINES_MAX, lines + refill);
    refilledMs += refill * LINE_REFILL_MS;
    tellLeftOut(nowMs);
    if (lines === 0) {
      if (leftOut.size === 0) leftOutSinceMs = nowMs;
      leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
      return;
    }
    lines -= 1;
    const fields = {
      requestId,
      ...(at.endpoint ? { endpoint: at.endpoint } : {}),
      environment: at.environment?.name,
      reason,
      address: at.address,
      client: party.client?.clientId,
    };
    if (OUR_FAULT.has(reason)) log.warn(fields, 'not decided');
    else log.info(fields, 'refused');
  };
}

const OUR_FAULT: ReadonlySet<Reason> = new Set([
  'overloaded',
  'store-unavailable',
  'lease-lost',
  'internal-error',
]);
