/**
 * What every refusal to an outsider leaves behind, whoever refuses: an id that explains itself to support, a line in the log under it, and
 * a count. Lines and counts are bounded, so that nobody fills a disk by being refused; ids need neither.
 */

import { errorBody, REASON_CODES, type Reason, type Refusal, wireOf } from '@countersign/protocol';
import { NODE_BYTES, type RequestIdKey, sealRequestId } from '../credentials/request-id.ts';
import type { Clock } from '../ports/clock.ts';
import { ENDPOINT_CODES } from '../ports/endpoint-names.ts';
import type { Log } from '../ports/log.ts';
import type { Changes } from '../ports/store.ts';
import type { Answer } from './exchange.ts';
import { newRefusalCounts } from './refusal-counts.ts';
import { newRefusalLog } from './refusal-log.ts';
import type { RefusedAt, RefusedParty } from './refused.ts';

export type Refusing = {
  /** The answer to a refused request, which carries its id. */
  refuse(refusal: Refusal, at: RefusedAt, party?: RefusedParty): Answer;
  /** Of a refusal that the caller is not told of, and whose answer has the id of any other. */
  note(refusal: Refusal, at: RefusedAt, party?: RefusedParty): void;
  /** Writes down what was counted. */
  stop(): Promise<void>;
};

export function newRefusing(deps: {
  /** What ids are sealed under; while there is none they are plain, and explain nothing. */
  readonly key: () => RequestIdKey | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Left out: nothing is counted. */
  readonly changes?: Pick<Changes, 'noteRefusals'>;
}): Refusing {
  const { key, clock, log, changes } = deps;
  const lines = newRefusalLog(deps);
  const counts =
    changes === undefined
      ? undefined
      : newRefusalCounts({ changes, clock, log, onWrite: lines.tellLeftOut });
  return {
    stop: async () => counts?.stop(),
    note: ({ reason }, at, party = {}) => {
      counts?.counted(reason, at, party);
      lines.write(reason, at.requestId, { at, party });
    },
    refuse: (refusal, at, party = {}) => {
      const sealing = key();
      const requestId =
        sealing === undefined
          ? at.requestId
          : sealedId(sealing, refusal.reason, { at, party, atMs: clock.wallMs() });
      counts?.counted(refusal.reason, at, party);
      if (at.isLoggedElsewhere !== true) lines.write(refusal.reason, requestId, { at, party });
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
