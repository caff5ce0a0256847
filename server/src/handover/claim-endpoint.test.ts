import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newAdmission } from '../endpoints/admission.ts';
import type { Answer, Incoming } from '../endpoints/exchange.ts';
import { createClientWithClaim } from '../operations/create-client.ts';
import { createProgram } from '../operations/create-program.ts';
import { type Changes, StoreUnavailable } from '../ports/store.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator } from '../testing/onboarding.ts';
import { type ClaimPageParts, claimEndpoint } from './claim-endpoint.ts';

const SANDBOX = 1;
const SECRET = /secret_test_[0-9A-Za-z]{49}/;

type World = {
  readonly lease: { runs: boolean };
  /** Stands between the page and the store's changes. */
  readonly store: { commit: Changes['commit'] };
  readonly press: () => Promise<Answer>;
  readonly look: () => Promise<Answer>;
  readonly secrets: () => Promise<number>;
};

/** The page of a fresh claim on a real store, on a node that the test can take the lease from. */
async function withClaim(body: (world: World) => Promise<void>): Promise<void> {
  await asOperator(newDataDirectory(), async (context) => {
    const { programId } = await createProgram(context, { name: 'Acme' });
    const { clientId, claimUrl, claimPassphrase } = await createClientWithClaim(context, {
      ...{ programId, environment: 'sandbox', name: 'server' },
      claim: {},
    });
    const [environment] = await context.directory.environments();
    const lease = { runs: true };
    const store = { commit: context.changes.commit };
    const authority = {
      replica: { environment: () => environment },
      follower: { mayDecide: () => lease.runs },
      admission: newAdmission(),
      refusing: { refuse: () => ({ status: 0, body: '' }), note: () => {} },
      clock: context.clock,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    } as unknown as ClaimPageParts['authority'];
    const changes = { ...context.changes, commit: (command) => store.commit(command) } as Changes;
    const page = claimEndpoint(
      { authority, contextOf: (actor) => ({ ...context, changes, actor }) },
      SANDBOX,
    );
    const [claim = '', code = ''] = claimUrl.reveal().split('/').slice(-2);
    const form = { action: 'reveal', passphrase: claimPassphrase?.reveal() ?? '' };
    const incoming = {
      ...{ requestId: 'r', address: '192.0.2.1', query: '', authorization: [] },
      contentType: 'application/x-www-form-urlencoded',
      body: Buffer.from(String(new URLSearchParams(form))),
      params: { claim, code },
    } satisfies Incoming;
    await body({
      lease,
      store,
      press: () => page.POST(incoming),
      look: () => page.GET(incoming),
      secrets: async () => (await context.directory.secrets({ clientId })).length,
    });
  });
}

test('a node that may not decide, or has no store, shows a page that uses nothing up', () =>
  withClaim(async ({ lease, store, press, look, secrets }) => {
    lease.runs = false;
    const { commit } = store;
    for (const without of ['lease', 'store']) {
      const { status, headers, body } = await press();
      assert.equal(status, 503, without);
      assert.ok(Number(headers?.['Retry-After']) > 0);
      assert.match(String(headers?.['Content-Type']), /^text\/html/);
      assert.doesNotMatch(body, SECRET);
      assert.equal(await secrets(), 0);
      lease.runs = true;
      store.commit = () => Promise.reject(new StoreUnavailable('gone'));
    }
    store.commit = commit;
    assert.equal((await look()).status, 200);
    assert.match((await press()).body, SECRET);
  }));

test('a secret whose commit was confirmed to nobody is shown all the same: it exists, and is at hand only here', () =>
  withClaim(async ({ store, press, secrets }) => {
    const { commit } = store;
    store.commit = async (command) => {
      await commit(command);
      throw new StoreUnavailable('the answer was lost');
    };
    const shown = await press();
    assert.equal(shown.status, 200);
    assert.match(shown.body, SECRET);
    assert.equal(await secrets(), 1);
    assert.equal((await press()).status, 410);
  }));
