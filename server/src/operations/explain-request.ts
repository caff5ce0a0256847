/** Tells support why a request was refused, from nothing but the id that its answer carried: neither log nor store has to know of it. */

import { type Reason, reasonOfCode } from '@countersign/protocol';
import { REQUEST_ID_ENVIRONMENT } from '../credentials/key-ring.ts';
import {
  keyVersionOfRequestId,
  NODE_BYTES,
  openRequestId,
  type RefusedRequest,
  type RequestIdKey,
} from '../credentials/request-id.ts';
import { type EndpointName, endpointOfCode } from '../ports/endpoint-names.ts';
import type { ClientRecord, ProgramRecord, SecretRecord } from '../ports/model.ts';
import { ChangeRefused } from '../ports/store.ts';
import type { OperationContext } from './context.ts';
import { type ExplainedReason, explainedReasons } from './explained-reasons.ts';

type Reads = Pick<OperationContext, 'directory' | 'log' | 'keyRing' | 'clock'>;

export type ExplainedRequest = {
  readonly requestId: string;
  readonly refusedAtMs: number;
  readonly reason: Reason;
  readonly means: string;
  readonly check: string;
  readonly tell: string;
  /** Absent when it was refused before it was clear which. */
  readonly endpoint?: EndpointName;
  readonly environment?: string;
  /** As the three are now, not as they were then. */
  readonly program?: ProgramRecord;
  readonly client?: ClientRecord;
  readonly secret?: SecretRecord & { readonly state: SecretState };
  /** What the node that refused called the request: its other lines in the log carry this. */
  readonly nodeRequestId: string;
};

type SecretState = 'live' | 'expired' | 'revoked';

/** An id of a request that was not refused: it says nothing, but somebody may hold it. */
const PLAIN = new RegExp(`^[0-9a-f]{${2 * NODE_BYTES}}-[0-9a-z]{1,11}$`);

/** Explains the id of a refused request. Throws `ChangeRefused` for an id that this store's nodes did not make. */
export async function explainRequest(
  context: Reads,
  input: { readonly requestId: string },
): Promise<ExplainedRequest> {
  const requestId = input.requestId.trim();
  const refused = await openedRequest(context, requestId);
  const reason = reasonOfCode(refused.reason);
  const endpoint = endpointOfCode(refused.endpoint);
  if (reason === undefined || endpoint === undefined) {
    throw unknown('a newer version of Countersign made it: ask that version');
  }
  const { cause, check, tell }: ExplainedReason = explainedReasons[reason];
  const party = await partyOf(context, refused);
  const environments = await context.directory.environments();
  const environment = environments.find(({ ordinal }) => ordinal === refused.environment);
  return {
    requestId,
    refusedAtMs: refused.atMs,
    reason,
    means: cause,
    check: check
      .replace('CLIENT_ID', party.client?.clientId ?? 'CLIENT_ID')
      .replace('PROGRAM_ID', party.program?.programId ?? 'PROGRAM_ID'),
    tell,
    ...(endpoint === '' ? {} : { endpoint }),
    ...(environment === undefined ? {} : { environment: environment.name }),
    ...party,
    nodeRequestId: `${Buffer.from(refused.node).toString('hex')}-${refused.count.toString(36)}`,
  };
}

async function openedRequest(context: Reads, requestId: string): Promise<RefusedRequest> {
  if (PLAIN.test(requestId)) {
    throw new ChangeRefused(
      'not-found',
      'REQUEST_ID is that of a request that was not refused: only the id of a refusal says why',
    );
  }
  const version = keyVersionOfRequestId(requestId);
  const key = version === undefined ? undefined : await keyOf(context, version);
  const opened = openRequestId(requestId, () => key);
  if (opened.ok) return opened.request;
  switch (opened.why) {
    case 'malformed':
      throw new ChangeRefused(
        'invalid',
        'REQUEST_ID has not the form of one (req_ and 70 letters and digits): it may be cut off or mistyped',
      );
    case 'unknown-key':
      throw unknown('it was sealed under a key that this store never had: another one made it');
    case 'forged':
      throw unknown('it is altered or made up, or another store made it');
  }
}

/** From the store and not from the ring: a key that has been retired since opens what was sealed under it. */
async function keyOf(context: Reads, version: number): Promise<RequestIdKey | undefined> {
  const { directory, keyRing, clock } = context;
  const environments = await directory.environments();
  const name = environments.find(({ ordinal }) => ordinal === REQUEST_ID_ENVIRONMENT)?.name;
  const keys = await directory.keys(clock.wallMs());
  const root = keys.find(
    (key) => key.purpose === 'secret' && key.environment === name && key.version === version,
  );
  return root === undefined ? undefined : keyRing.requestIdKeyOf(root);
}

async function partyOf(
  { directory, log, clock }: Reads,
  refused: RefusedRequest,
): Promise<Pick<ExplainedRequest, 'client' | 'program' | 'secret'>> {
  if (refused.client === 0) return {};
  const { client: found } = await log.loadClient(refused.client);
  if (found === undefined) return {};
  const { clientId, programId } = found;
  const [[client], [program], secrets] = await Promise.all([
    directory.clients({ clientId }),
    directory.programs({ programId }),
    directory.secrets({ clientId }),
  ]);
  const secret = secrets.find(({ ordinal }) => ordinal === refused.secret);
  return {
    ...(program === undefined ? {} : { program }),
    ...(client === undefined ? {} : { client }),
    ...(secret === undefined
      ? {}
      : { secret: { ...secret, state: stateOf(secret, clock.wallMs()) } }),
  };
}

function stateOf(secret: SecretRecord, nowMs: number): SecretState {
  if (secret.revokedAtMs !== undefined) return 'revoked';
  return secret.expiresAtMs !== undefined && secret.expiresAtMs <= nowMs ? 'expired' : 'live';
}

function unknown(why: string): ChangeRefused {
  return new ChangeRefused('not-found', `REQUEST_ID is not of this store: ${why}`);
}
