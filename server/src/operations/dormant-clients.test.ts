import assert from 'node:assert/strict';
import { test } from 'node:test';
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
