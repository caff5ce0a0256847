/** What every store must do with claims: one use, counted attempts, nothing half done. Run once for each adapter. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CLAIM_FAILURES_MAX,
  CLAIM_STOP_MS,
  type ClaimAttempt,
  type NewClaim,
} from '../../ports/claims.ts';
import type { Change } from '../../ports/store.ts';
import type { Store } from '../store.ts';
import { type OpenKeyStore, using } from './key-contract.ts';
import { commit, newProgram, newSecret, onboard, refusal } from './sample-changes.ts';

const RACERS = 50;
const AT_MS = 1_000;
const EXPIRES_AT_MS = 9_000;
const FROM = '192.0.2.1';
let made = 0;

export function claimContract(name: string, open: OpenKeyStore): void {
  const withStore = using(open);

  describe(`the claims of ${name}`, () => {
    test(`of ${RACERS} who use a claim at once one makes its secret, and both stand in one change`, () =>
      withStore(async (store) => {
        const { claim, clientId } = await claimed(store);
        const used = await Promise.allSettled(
          // A few at a time: a store may refuse those that would have to wait for long.
          Array.from({ length: RACERS }, () => commit(store, use(claim))),
        );
        const done = used.filter(({ status }) => status === 'fulfilled');
        assert.equal(done.length, 1);
        const [secret, ...others] = await store.directory.secrets({ clientId });
        assert.deepEqual(others, []);
        const [record] = await store.directory.claims({ claimId: claim.claimId });
        assert.equal(record?.secretId, secret?.secretId);
        assert.equal(record?.usedFrom, FROM);
        assert.equal(secret?.createdBy, 'test:contract');
        const lines = await store.audit.lines({ limit: 100, action: 'claim.used' });
        assert.equal(lines.length, 1);
      }));

    test('wrong passphrases are counted however many come at once, and the fifth ends the claim', () =>
      withStore(async (store) => {
        const { claim, clientId } = await claimed(store);
        const wrong = await Promise.allSettled(
          Array.from({ length: 20 }, () => commit(store, use(claim, { phrase: 66 }))),
        );
        const counted = wrong.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
        assert.equal(counted.length, 5);
        assert.ok(counted.every(({ recordedAs }) => recordedAs === 'claim.failed'));
        await assert.rejects(commit(store, use(claim)), refusal('not-found'));
        assert.deepEqual(await store.directory.secrets({ clientId }), []);
        const [record] = await store.directory.claims({ claimId: claim.claimId });
        assert.equal(record?.failures, 5);
        assert.equal(record?.revokedAtMs, AT_MS);
      }));

    test('a wrong code, an expired, a revoked and a replaced claim make nothing and count nothing', () =>
      withStore(async (store) => {
        const { claim, clientId } = await claimed(store);
        await assert.rejects(commit(store, use(claim, { code: 66 })), refusal('not-found'));
        await assert.rejects(commit(store, use(claim), EXPIRES_AT_MS), refusal('not-found'));
        const next = newClaim();
        await commit(store, { kind: 'claim.create', clientId, claim: next });
        await assert.rejects(commit(store, use(claim)), refusal('not-found'));
        const revoke: Change = { kind: 'claim.revoke', claimId: next.claimId };
        const first = await commit(store, revoke);
        assert.equal((await commit(store, revoke)).sequence, first.sequence);
        await assert.rejects(commit(store, use(next)), refusal('not-found'));
        assert.deepEqual(await store.directory.secrets({ clientId }), []);
        for (const { failures } of await store.directory.claims({ clientId })) {
          assert.equal(failures, 0);
        }
      }));

    test('what a use cannot make leaves the claim as it was: on hold, or no room for a secret', () =>
      withStore(async (store) => {
        const { claim, clientId } = await claimed(store);
        await commit(store, { kind: 'client.suspend', clientId, reason: 'x' });
        await assert.rejects(commit(store, use(claim)), refusal('conflict'));
        await commit(store, { kind: 'client.reactivate', clientId });
        for (let live = 0; live < 2; live += 1) {
          await commit(store, { kind: 'secret.create', clientId, secret: newSecret() });
        }
        await assert.rejects(commit(store, use(claim)), refusal('limit'));
        const more: Change = { kind: 'claim.create', clientId, claim: newClaim() };
        await assert.rejects(commit(store, more), refusal('limit'));
        const [secret] = await store.directory.secrets({ clientId });
        const secretId = secret?.secretId ?? '';
        await commit(store, { kind: 'secret.revoke', secretId, killTokens: false });
        assert.equal((await commit(store, use(claim))).recordedAs, 'claim.used');
      }));

    test('a rotation by claim ends the earlier secrets when it is used, with its own name and end', () =>
      withStore(async (store) => {
        const { clientId } = await onboard(store);
        const claim = newClaim({
          ...{ purpose: 'rotate', overlapMs: 500, secretName: 'blue' },
          secretExpiresAtMs: 50_000,
        });
        await commit(store, { kind: 'claim.create', clientId, claim });
        const [before] = await store.directory.secrets({ clientId });
        assert.equal(before?.expiresAtMs, undefined);
        await commit(store, use(claim), 2_000);
        const [old, young] = await store.directory.secrets({ clientId });
        assert.equal(old?.expiresAtMs, 2_500);
        assert.deepEqual([young?.name, young?.expiresAtMs], ['blue', 50_000]);
      }));

    test('whoever holds a used claim stops its secret and its tokens, for a day at least, and no other', () =>
      withStore(async (store) => {
        const { claim, clientId } = await claimed(store);
        await assert.rejects(commit(store, stop(claim)), refusal('not-found'));
        await commit(store, use(claim));
        await commit(store, { kind: 'secret.create', clientId, secret: newSecret() });
        assert.equal((await commit(store, stop(claim, 66))).recordedAs, 'claim.failed');
        const lastMs = AT_MS + CLAIM_STOP_MS - 1;
        await assert.rejects(commit(store, stop(claim), lastMs + 1), refusal('not-found'));
        assert.equal((await commit(store, stop(claim), lastMs)).recordedAs, 'secret.revoke');
        const [stopped, other] = await store.directory.secrets({ clientId });
        assert.equal(stopped?.revokedAtMs, lastMs);
        assert.equal(other?.revokedAtMs, undefined);
        const [record] = await store.directory.claims({ claimId: claim.claimId });
        assert.equal(record?.stoppedAtMs, lastMs);
      }));

    test('whoever used a claim keeps nobody from stopping it, however many passphrases they try; some are recorded', () =>
      withStore(async (store) => {
        const { claim } = await claimed(store);
        await commit(store, use(claim));
        for (let n = 0; n < CLAIM_FAILURES_MAX; n += 1) {
          assert.equal((await commit(store, stop(claim, 66))).recordedAs, 'claim.failed');
        }
        const { head } = await store.log.poll(0);
        await assert.rejects(commit(store, stop(claim, 66)), refusal('invalid'));
        assert.equal((await store.log.poll(0)).head, head);
        assert.equal((await commit(store, stop(claim))).recordedAs, 'secret.revoke');
      }));

    test('a key that an open claim needs is not retired, and ended claims are forgotten after a time', () =>
      withStore(async (store, masterKeyCheck) => {
        const { claim } = await claimed(store);
        const key = { environment: 'sandbox', version: 2, wrapped: 'x', masterKeyCheck };
        await commit(store, { ...key, kind: 'key.rotate', purpose: 'secret' });
        const retire: Change = {
          ...{ kind: 'key.retire', purpose: 'secret', environment: 'sandbox', version: 1 },
        } as Change;
        await assert.rejects(commit(store, retire), {
          ...refusal('conflict'),
          message: new RegExp(claim.claimId),
        });
        assert.equal((await commit(store, retire, EXPIRES_AT_MS)).changed, true);
        await store.prune(EXPIRES_AT_MS);
        assert.equal((await store.directory.claims()).length, 1);
        await store.prune(EXPIRES_AT_MS + 91 * 24 * 60 * 60 * 1000);
        assert.deepEqual(await store.directory.claims(), []);
      }));
  });
}

/** A client whose first secret is to be claimed. */
async function claimed(store: Store): Promise<{ claim: NewClaim; clientId: string }> {
  const program = newProgram();
  const { programId } = program;
  await commit(store, program);
  const claim = newClaim();
  made += 1;
  const clientId = `client_test_claims_${made}`;
  await commit(store, {
    ...{ kind: 'client.create', clientId, programId, environment: 'sandbox', name: 'server' },
    ...{ scope: [], resources: [], allowIp: [], tokenLifetimeSeconds: 3600, resourceServer: false },
    claim,
  } as Change);
  return { claim, clientId };
}

const CODE = 7;
const PHRASE = 8;

function newClaim(given: Partial<NewClaim> = {}): NewClaim {
  made += 1;
  return {
    claimId: `clm_${made}`,
    purpose: 'create',
    overlapMs: 0,
    codeMac: Buffer.alloc(32, CODE),
    passphraseMac: Buffer.alloc(32, PHRASE),
    keyVersion: 1,
    expiresAtMs: EXPIRES_AT_MS,
    ...given,
  };
}

function attempt({ claimId }: NewClaim, code = CODE, phrase = PHRASE): ClaimAttempt {
  return {
    claimId,
    codeMac: Buffer.alloc(32, code),
    passphraseMac: Buffer.alloc(32, phrase),
    from: FROM,
  };
}

function use(claim: NewClaim, wrong: { code?: number; phrase?: number } = {}): Change {
  const given = attempt(claim, wrong.code, wrong.phrase);
  return { kind: 'claim.use', attempt: given, secret: newSecret() };
}

function stop(claim: NewClaim, phrase = PHRASE): Change {
  return { kind: 'claim.stop', attempt: attempt(claim, CODE, phrase) };
}
