import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DormantPage } from '../ports/model.ts';
import { newDataDirectory } from '../testing/data.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { asOperator, onboard } from '../testing/onboarding.ts';
import type { OperationContext } from './context.ts';
import { listDormant, reportDormant } from './dormant-clients.ts';
import { setPolicy } from './policies.ts';
import { reactivateClient } from './reactivate-client.ts';
import { showClient } from './read-directory.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

type World = {
  readonly context: OperationContext;
  readonly pass: (days: number) => void;
  /** Uses the client's secret, as an authentication does. */
  readonly use: (secretId: string) => Promise<void>;
};

function withDays(body: (world: World) => Promise<void>): Promise<void> {
  return asOperator(newDataDirectory(), async (opened) => {
    const clock = newManualClock(opened.clock.wallMs());
    const context = { ...opened, clock: { ...clock, sleep: opened.clock.sleep } };
    await body({
      context,
      pass: (days) => clock.advance(days * DAY_MS),
      use: async (secretId) => {
        const [secret] = await context.directory.secrets({ secretId });
        const use = { secret: secret?.ordinal ?? 0, atMs: clock.wallMs(), address: '192.0.2.7' };
        await context.changes.noteUses([use]);
      },
    });
  });
}

test('a client is dormant once it is unused for the days of the policy, and each dormancy is reported once', () =>
  withDays(async ({ context, pass, use }) => {
    const [quiet, busy] = [await onboard(context), await onboard(context)];
    const { secrets } = await showClient(context, busy);
    pass(89);
    assert.deepEqual(await listDormant(context, {}), []);
    await use(secrets[0]?.secretId ?? '');
    pass(2);
    assert.deepEqual(
      (await listDormant(context, {})).map(({ clientId }) => clientId),
      [quiet.clientId],
    );
    assert.equal(await reportDormant(context), 1);
    assert.equal(await reportDormant(context), 0);
    pass(90);
    assert.equal(await reportDormant(context), 1, 'the busy one is quiet now');
    pass(1);
    await use(secrets[0]?.secretId ?? '');
    pass(91);
    assert.equal(
      await reportDormant(context),
      1,
      'it was used in between, so it is another dormancy',
    );
    const lines = await context.audit.lines({ limit: 100, action: 'client.dormant' });
    assert.deepEqual(
      lines.map(({ target }) => target),
      [quiet.clientId, busy.clientId, busy.clientId],
    );
  }));

test('a dormant client is left alone unless the policy says to suspend it; turned off, nobody is dormant', () =>
  withDays(async ({ context, pass }) => {
    const client = await onboard(context);
    const state = async () => (await showClient(context, client)).client.state;
    pass(120);
    await setPolicy(context, { name: 'dormant-days', value: 'off' });
    assert.equal(await reportDormant(context), 0);
    await assert.rejects(listDormant(context, {}), { code: 'invalid' });
    assert.equal((await listDormant(context, { days: 100 })).length, 1);
    await setPolicy(context, { name: 'dormant-days', value: '100' });
    assert.equal(await reportDormant(context), 1);
    assert.equal(await state(), 'active');
    await setPolicy(context, { name: 'dormant-suspend', value: 'on' });
    await reportDormant(context);
    assert.equal(await state(), 'suspended');
    await reactivateClient(context, client);
    assert.equal(await state(), 'active');
  }));

test('a page looks at so many clients, however few of them are dormant', () =>
  withDays(async ({ context, pass, use }) => {
    const clients = [];
    for (let made = 0; made < 5; made += 1) clients.push(await onboard(context));
    pass(100);
    for (const busy of clients.slice(0, 3)) {
      const { secrets } = await showClient(context, busy);
      await use(secrets[0]?.secretId ?? '');
    }
    const beforeMs = context.clock.wallMs() - 90 * DAY_MS;
    const pages = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const asked = { beforeMs, after, limit: 2 };
      const page: DormantPage = await context.directory.dormantClients(asked);
      pages.push(page.found.map(({ clientId }) => clientId));
      after = page.next;
    }
    const [, , , fourth, fifth] = clients.map(({ clientId }) => clientId);
    assert.deepEqual(pages, [[], [fourth], [fifth]]);
  }));

test('whoever is told to end reports no more, and the rest is reported the next time', () =>
  withDays(async ({ context, pass }) => {
    for (let made = 0; made < 3; made += 1) await onboard(context);
    pass(100);
    const end = new AbortController();
    const commit: typeof context.changes.commit = (command) => {
      end.abort();
      return context.changes.commit(command);
    };
    const cut = { ...context, changes: { ...context.changes, commit } };
    assert.equal(await reportDormant(cut, end.signal), 1);
    assert.equal(await reportDormant(context), 2);
  }));
