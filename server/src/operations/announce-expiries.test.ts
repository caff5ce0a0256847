import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDataDirectory } from '../testing/data.ts';
import { newManualClock } from '../testing/manual-clock.ts';
import { asOperator, onboard } from '../testing/onboarding.ts';
import { announceExpiries } from './announce-expiries.ts';
import type { OperationContext } from './context.ts';
import { createSecret } from './create-secret.ts';
import { expireSecret } from './expire-secret.ts';
import { rotateSecret } from './rotate-secret.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** An installation whose days pass when the test says so; the announcements of each day that has any. */
async function withDays(
  body: (days: {
    readonly context: OperationContext;
    pass(days: number): Promise<readonly string[]>;
  }) => Promise<void>,
): Promise<void> {
  await asOperator(newDataDirectory(), async (opened) => {
    const clock = newManualClock(opened.clock.wallMs());
    const context = { ...opened, clock: { ...clock, sleep: opened.clock.sleep } };
    const told = async () => {
      const lines = await context.audit.lines({ limit: 1_000, action: 'secret.expiring' });
      return lines.map(({ target, detail }) => `${target} ${detail['days']}`);
    };
    await body({
      context,
      pass: async (days) => {
        const before = (await told()).length;
        for (let day = 0; day < days; day += 1) {
          clock.advance(DAY_MS);
          await announceExpiries(context);
          assert.equal(await announceExpiries(context), 0, 'said once');
        }
        return (await told()).slice(before);
      },
    });
  });
}

test('the end of a secret is announced 30, 14, 7 and 1 days before, once each, and not after it', () =>
  withDays(async ({ context, pass }) => {
    const { clientId } = await onboard(context);
    const expiresAtMs = context.clock.wallMs() + 40 * DAY_MS;
    const { secretId } = await createSecret(context, { clientId, expiresAtMs });
    assert.deepEqual(await pass(9), []);
    const expected = [30, 14, 7, 1].map((days) => `${secretId} ${days}`);
    assert.deepEqual(await pass(33), expected);
  }));

test('after days without a server the nearest threshold alone is announced', () =>
  withDays(async ({ context, pass }) => {
    const { clientId } = await onboard(context);
    const expiresAtMs = context.clock.wallMs() + 6 * DAY_MS;
    const { secretId } = await createSecret(context, { clientId, expiresAtMs });
    assert.deepEqual(await pass(1), [`${secretId} 7`]);
  }));

test('a secret that was put off is announced anew, and one that no longer ends is not', () =>
  withDays(async ({ context, pass }) => {
    const { clientId } = await onboard(context);
    const expiresAtMs = context.clock.wallMs() + 3 * DAY_MS;
    const { secretId } = await createSecret(context, { clientId, expiresAtMs });
    assert.deepEqual(await pass(1), [`${secretId} 7`]);
    await expireSecret(context, { secretId, expiresAtMs: expiresAtMs + 4 * DAY_MS });
    assert.deepEqual(await pass(1), [`${secretId} 7`]);
    await expireSecret(context, { secretId, expiresAtMs: undefined });
    assert.deepEqual(await pass(10), []);
  }));

test('a secret that has a successor is let go in silence, unless somebody still uses it', () =>
  withDays(async ({ context, pass }) => {
    const [quiet, busy] = [await onboard(context), await onboard(context)];
    for (const { clientId } of [quiet, busy]) {
      await rotateSecret(context, { clientId, overlapMs: 10 * DAY_MS });
    }
    assert.deepEqual(await pass(2), []);
    const [used] = await context.directory.secrets({ secretId: busy.secretId });
    const atMs = context.clock.wallMs();
    await context.changes.noteUses([{ secret: used?.ordinal ?? 0, atMs, address: '192.0.2.1' }]);
    const expected = [7, 1].map((days) => `${busy.secretId} ${days}`);
    assert.deepEqual(await pass(9), expected);
  }));
