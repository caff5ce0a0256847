/**
 * GET and POST /claim/{claim}/{code}: the page on which a partner has its secret made and shown, once. GET changes nothing, so that link
 * previews, prefetching and HEAD are harmless; POST acts, and only from the page itself.
 *
 * | step   | refused because                                       | page |
 * |--------|-------------------------------------------------------|------|
 * | site   | the form was sent from another site                   | 403  |
 * | admit  | too many wrong links or passphrases from this address | 429  |
 * | link   | unknown, or of another environment                    | 404  |
 * | lease  | the node may not decide (POST)                        | 503  |
 * | state  | used; revoked, replaced, run out, locked              | 410  |
 * | client | suspended, or as many live secrets as may be          | 409  |
 * | phrase | wrong; five of them end the claim                     | 403  |
 */

import {
  formMediaType,
  isRefusal,
  parseForm,
  type Refusal,
  refuse,
  wireOf,
} from '@countersign/protocol';
import { type Authority, environmentOf } from '../endpoints/context.ts';
import { type Answer, headerOf, type Incoming } from '../endpoints/exchange.ts';
import { type OperationContext, receiptOf } from '../operations/context.ts';
import {
  type OpenedClaim,
  openClaim,
  type Revealed,
  revealSecret,
  stopSecret,
} from '../operations/use-claim.ts';
import { CLAIM_FAILURES_MAX, CLAIM_STOP_MS } from '../ports/claims.ts';
import { type Committed, StoreUnavailable } from '../ports/store.ts';
import * as pages from './claim-pages.ts';

export type ClaimPageParts = {
  readonly authority: Pick<
    Authority,
    'replica' | 'follower' | 'admission' | 'refusing' | 'clock' | 'log'
  >;
  readonly contextOf: (actor: string) => OperationContext;
};

type Handler = (incoming: Incoming) => Promise<Answer>;
type Visit = {
  readonly parts: ClaimPageParts;
  readonly ordinal: number;
  readonly incoming: Incoming;
};

/** How long the page waits until every node knows the new secret; it is shown all the same. */
const RECEIPT_WAIT_MS = 5_000;

/** The handlers of one environment. */
export function claimEndpoint(
  parts: ClaimPageParts,
  ordinal: number,
): { readonly GET: Handler; readonly POST: Handler } {
  const guarded = (handle: (visit: Visit) => Promise<Answer>): Handler => {
    return async (incoming) => {
      const visit = { parts, ordinal, incoming };
      try {
        return await handle(visit);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        return refusalPage(visit, refuse('store-unavailable'));
      }
    };
  };
  return { GET: guarded(look), POST: guarded(act) };
}

async function look(visit: Visit): Promise<Answer> {
  const opened = await open(visit);
  return 'claim' in opened ? statePage(visit, opened) : opened;
}

async function act(visit: Visit): Promise<Answer> {
  const { incoming, parts } = visit;
  if (isFromElsewhere(visit)) return refusalPage(visit, refuse('claim-cross-site'));
  const opened = await open(visit);
  if (!('claim' in opened)) return opened;
  const media = formMediaType(incoming.contentType);
  const form = isRefusal(media) ? media : parseForm(incoming.body);
  if (isRefusal(form)) return refusalPage(visit, form);
  if (!parts.authority.follower.mayDecide()) return refusalPage(visit, refuse('lease-lost'));
  const presented = { passphrase: form.get('passphrase') ?? '', from: incoming.address };
  const { state } = opened.claim;
  if (form.get('action') === 'stop' && state === 'used') return stop(visit, opened, presented);
  if (form.get('action') === 'reveal' && state === 'open') return reveal(visit, opened, presented);
  return statePage(visit, opened);
}

type Presented = { readonly passphrase: string; readonly from: string };

async function reveal(visit: Visit, opened: OpenedClaim, presented: Presented): Promise<Answer> {
  const context = contextFor(visit, opened);
  if (isOnHold(opened)) return statePage(visit, opened);
  const done = await revealSecret(context, opened, presented);
  switch (done.outcome) {
    case 'revealed':
      return revealedPage(visit, opened, done);
    case 'no-room':
      return refusalPage(visit, refuse('claim-on-hold'));
    case 'wrong-passphrase':
      return wrongPassphrase(visit);
    case 'closed':
      return look(visit);
  }
}

async function stop(visit: Visit, opened: OpenedClaim, presented: Presented): Promise<Answer> {
  const done = await stopSecret(contextFor(visit, opened), opened, presented);
  if (done.outcome === 'wrong-passphrase') return wrongPassphrase(visit);
  if (done.outcome !== 'stopped') return look(visit);
  // Told only once it is true everywhere, or as good as: what is silent refuses by itself within its lease.
  await isEverywhere(visit, opened, done.committed);
  return pages.stoppedPage(aboutOf(visit, opened));
}

/** The claim of the link, or the page that says why there is none. */
async function open(visit: Visit): Promise<OpenedClaim | Answer> {
  const { parts, incoming, ordinal } = visit;
  const { admission, clock } = parts.authority;
  const at = { client: undefined, environment: ordinal, address: incoming.address };
  const waitMs = admission.waitMs({ ...at, nowMs: clock.monotonicMs() });
  if (waitMs > 0) {
    return refusalPage(visit, refuse('throttled', { retryAfterSeconds: waitMs / 1000 }));
  }
  const opened = await openLink(visit);
  if (opened !== undefined) return opened;
  admission.failed({ ...at, nowMs: clock.monotonicMs() });
  return refusalPage(visit, refuse('claim-unknown'));
}

function openLink({ parts, incoming, ordinal }: Visit): Promise<OpenedClaim | undefined> {
  const { claim = '', code = '' } = incoming.params ?? {};
  const environment = environmentOf(parts.authority, ordinal);
  return openClaim(parts.contextOf('claim'), { environment, claimId: claim, code });
}

/** What a claim shows to whoever holds its link. */
function statePage(visit: Visit, opened: OpenedClaim): Answer {
  const { claim } = opened;
  switch (claim.state) {
    case 'open':
      if (claim.clientState === 'deleted') return refusalPage(visit, refuse('claim-ended'));
      if (isOnHold(opened)) return refusalPage(visit, refuse('claim-on-hold'));
      return pages.openPage(aboutOf(visit, opened), claim);
    case 'used':
      return withRefusal(visit, refuse('claim-used'), usedPage(visit, opened));
    case 'stopped':
      return pages.stoppedPage(aboutOf(visit, opened));
    case 'revoked':
    case 'locked':
    case 'expired':
      return refusalPage(visit, refuse('claim-ended'));
  }
}

function usedPage(visit: Visit, opened: OpenedClaim, isRetry = false): Answer {
  const { usedAtMs = 0, usedFrom = '', expiresAtMs, needsPassphrase } = opened.claim;
  const untilMs = Math.max(expiresAtMs, usedAtMs + CLAIM_STOP_MS);
  const mayStop = visit.parts.authority.clock.wallMs() < untilMs;
  const used = { atMs: usedAtMs, from: usedFrom, mayStop, needsPassphrase, isRetry };
  return pages.usedPage(aboutOf(visit, opened), used);
}

/** The page again; of an unused claim with how many attempts are left, and without its button once there are none. */
async function wrongPassphrase(visit: Visit): Promise<Answer> {
  const { admission, clock } = visit.parts.authority;
  const { address } = visit.incoming;
  const nowMs = clock.monotonicMs();
  admission.failed({ client: undefined, environment: visit.ordinal, address, nowMs });
  const opened = await openLink(visit);
  if (opened === undefined) return refusalPage(visit, refuse('claim-unknown'));
  const { claim } = opened;
  if (claim.state === 'open') {
    const attemptsLeft = Math.max(0, CLAIM_FAILURES_MAX - claim.failures);
    const page = pages.openPage(aboutOf(visit, opened), { ...claim, isRetry: true, attemptsLeft });
    return withRefusal(visit, refuse('claim-passphrase'), page);
  }
  if (claim.state !== 'used') return statePage(visit, opened);
  return withRefusal(visit, refuse('claim-passphrase'), usedPage(visit, opened, true));
}

async function revealedPage(visit: Visit, opened: OpenedClaim, made: Revealed): Promise<Answer> {
  const { claim } = opened;
  const { clientSecret, committed } = made;
  const known = committed !== undefined && (await isEverywhere(visit, opened, committed));
  return pages.revealedPage(aboutOf(visit, opened), {
    clientSecret: clientSecret.reveal(),
    expiresAtMs: claim.secretExpiresAtMs,
    overlapMs: claim.purpose === 'rotate' ? claim.overlapMs : undefined,
    isEverywhere: known,
  });
}

/** Whether every node has confirmed a change. Nothing that fails here may cost the holder what was done already. */
async function isEverywhere(
  visit: Visit,
  opened: OpenedClaim,
  committed: Committed,
): Promise<boolean> {
  try {
    const receipt = await receiptOf(contextFor(visit, opened), committed, RECEIPT_WAIT_MS);
    return receipt.complete;
  } catch (error) {
    const fields = { requestId: visit.incoming.requestId, cause: (error as Error).message };
    visit.parts.authority.log.warn(fields, 'a claim was used, its receipt is not known');
    return false;
  }
}

function isOnHold({ claim }: OpenedClaim): boolean {
  return claim.programSuspended || claim.clientState !== 'active';
}

/**
 * Browsers say where a form was sent from. With `no-referrer` they send `Origin: null` from our own page too, so that this tells nothing;
 * without either header it is no browser, and whoever has the link may do as it likes.
 */
function isFromElsewhere({ incoming, parts, ordinal }: Visit): boolean {
  const site = headerOf(incoming, 'sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin';
  const origin = headerOf(incoming, 'origin');
  if (origin === undefined || origin === 'null') return false;
  return origin !== new URL(environmentOf(parts.authority, ordinal).issuer).origin;
}

function contextFor({ parts }: Visit, { claim }: OpenedClaim): OperationContext {
  return parts.contextOf(`claim:${claim.claimId}`);
}

function aboutOf({ parts, ordinal }: Visit, { claim }: OpenedClaim): pages.About {
  const { issuer, name } = environmentOf(parts.authority, ordinal);
  const { clientId, clientName } = claim;
  return { clientId, clientName, environment: name, tokenEndpoint: `${issuer}/token` };
}

function refusalPage(visit: Visit, refusal: Refusal): Answer {
  const { status, description, headers } = wireOf(refusal);
  const page = pages.noticePage({ status, text: description, headers });
  return withRefusal(visit, refusal, page);
}

/** A page under an id that tells support why. */
function withRefusal(visit: Visit, refusal: Refusal, page: Answer): Answer {
  const { incoming, parts, ordinal } = visit;
  const { refusing } = parts.authority;
  const { requestId, address } = incoming;
  const environment = environmentOf(parts.authority, ordinal);
  const at = { endpoint: 'claim', environment, requestId, address } as const;
  const refused = refusing.refuse(refusal, at);
  return refused.requestId === undefined ? page : { ...page, requestId: refused.requestId };
}
