import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, onboard } from '../testing/onboarding.ts';
import { readSelection } from './client-selection.ts';
import type { OperationContext } from './context.ts';
import { suspendClient } from './suspend-client.ts';
import { previewSuspension, suspendClients } from './suspend-clients.ts';

const inNewStore = (body: (context: OperationContext) => Promise<void>): Promise<void> =>
  asOperator(newDataDirectory(), body);

test('every condition must hold, and what meets them all is suspended, each by an audit line of its own', () =>
  inNewStore(async (context) => {
    const app = await onboard(context, { name: 'Mobile App' });
    const other = await onboard(context, { name: 'mobile app', environment: 'production' });
    const server = await onboard(context, { name: 'server' });
    const where = ['name~MOBILE', 'environment=sandbox', 'created-before=0s'];
    await new Promise((resolve) => setTimeout(resolve, 2));
    const done = await suspendClients(context, { where, reason: 'leak' });
    assert.deepEqual([done.matched, done.suspended], [1, 1]);
    const states = (await context.directory.clients({})).map(({ clientId, state }) => [
      clientId,
      state,
    ]);
    assert.deepEqual(states, [
      [app.clientId, 'suspended'],
      [other.clientId, 'active'],
      [server.clientId, 'active'],
    ]);
    const lines = await context.audit.lines({ change: done.receipt.sequence, limit: 9 });
    assert.deepEqual(
      lines.map(({ action, target }) => [action, target]),
      [
        ['client.suspend-many', 'clients'],
        ['client.suspend', app.clientId],
        ['receipt', `change/${done.receipt.sequence}`],
      ],
    );
    assert.deepEqual(lines[0]?.detail, {
      ...{ where, reason: 'leak', part: 1, matched: 1, clients: 1 },
      programs: [{ program: app.programId, count: 1 }],
    });
  }));

test('what was suspended for another reason is suspended for this one too, and stays so when the other ends', () =>
  inNewStore(async (context) => {
    const { clientId, programId } = await onboard(context);
    await suspendClient(context, { clientId, reason: 'maintenance' });
    const where = [`program=${programId}`];
    const done = await suspendClients(context, { where, reason: 'leak' });
    assert.equal(done.suspended, 1);
    const [first] = await context.directory.suspensions({ clientId, openOnly: true });
    await context.changes.commit({
      change: { kind: 'client.reactivate', clientId, suspension: first?.ordinal },
      ...{ actor: 'test', atMs: 1 },
    });
    const [client] = await context.directory.clients({ clientId });
    assert.deepEqual([client?.state, client?.generation], ['suspended', 1]);
    // The one that came with many is found again all the same.
    const again = await suspendClient(context, { clientId, reason: 'leak' });
    assert.equal(again.changed, false);
    assert.ok(again.receipt.sequence > done.receipt.sequence);
  }));

test('a longer suspension for the same reason is no less than what is asked for; a shorter one is', () =>
  inNewStore(async (context) => {
    const { programId } = await onboard(context);
    const where = [`program=${programId}`];
    const nowMs = context.clock.wallMs();
    const until = async (untilMs: number | undefined) =>
      (await suspendClients(context, { where, reason: 'leak', untilMs })).suspended;
    assert.equal(await until(nowMs + 60_000), 1);
    assert.equal(await until(nowMs + 50_000), 0);
    assert.equal(await until(nowMs + 70_000), 1);
    assert.equal(await until(undefined), 1);
    assert.equal(await until(nowMs + 90_000), 0);
  }));

test('a dry run says what would be suspended and leaves no trace', () =>
  inNewStore(async (context) => {
    const { clientId } = await onboard(context, { name: 'app' });
    const before = await context.audit.head();
    const preview = await previewSuspension(context, { where: ['name~app'] });
    assert.deepEqual(preview, { matched: 1, active: 1, clients: [{ clientId, name: 'app' }] });
    assert.deepEqual(await context.audit.head(), before);
  }));

test('without a condition, with one twice, with none that is known or with no match nothing is suspended', () =>
  inNewStore(async (context) => {
    await onboard(context);
    const refused = async (where: readonly string[], message: RegExp) => {
      const asked = suspendClients(context, { where, reason: 'leak' });
      await assert.rejects(asked, { name: 'ChangeRefused', message });
    };
    await refused([], /--where is missing/);
    await refused(['name~a', 'name~b'], /given twice/);
    await refused(['state=active'], /must be one of: program=ID/);
    await refused(['program=program_none'], /no program program_none/);
    await refused(['environment=moon'], /no environment moon/);
    await refused(['environment=admin'], /no environment admin/);
    await refused(['name~nobody'], /no client meets/);
    await refused(['name~'], /must not be empty/);
    const { createdBeforeMs = 0 } = await readSelection(context, ['created-before=90d']);
    assert.ok(Math.abs(context.clock.wallMs() - createdBeforeMs - 90 * 86_400_000) < 60_000);
  }));

test('many are suspended from the command line, after a look', async () => {
  const data = newDataDirectory();
  await asOperator(data, async (context) => void (await onboard(context, { name: 'app' })));
  const cli = commandLine(data);
  const many = ['client', 'suspend-many', '--where', 'name~app', '--reason', 'leak'];
  const preview = await cli.json(...many, '--dry-run');
  assert.deepEqual([preview['matched'], preview['active']], [1, 1]);
  const done = await cli.json(...many, '--until', '2h');
  assert.deepEqual([done['matched'], done['suspended'], done['complete']], [1, 1, true]);
  const text = await cli(many);
  assert.match(text.stdout, /^Suspended 1 of 1 clients that match/);
  assert.match((await cli(many)).stdout, /^All 1 clients that match were suspended so already\./);
});
