import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { commandLine } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { envOf } from '../testing/nodes-on-database.ts';
import { asOperator, onboard } from '../testing/onboarding.ts';
import { assertMaySkip, startPostgres } from '../testing/postgres.ts';
import { grantApproval, listApprovals, refuseApproval } from './approvals.ts';
import type { OperationContext } from './context.ts';
import { endDueSuspensions } from './end-due-suspensions.ts';
import { setPolicy } from './policies.ts';
import { policyOf } from './policy-of.ts';
import { reactivateClient } from './reactivate-client.ts';
import { reactivateProgram } from './reactivate-program.ts';
import { suspendClient } from './suspend-client.ts';
import { suspendClients } from './suspend-clients.ts';
import { suspendProgram } from './suspend-program.ts';

const POLICY = 'reactivation-approvals';
const HOUR_MS = 3_600_000;

type People = {
  readonly ada: OperationContext;
  readonly ben: OperationContext;
  readonly at: (context: OperationContext, offsetMs: number) => OperationContext;
};

function fourEyes(name: string, env: () => Promise<Record<string, string>>): void {
  const inNewStore = async (body: (people: People) => Promise<void>): Promise<void> =>
    asOperator(
      newDataDirectory(),
      async (context) => {
        await setPolicy(context, { name: POLICY, value: '1' });
        const as = (actor: string): OperationContext => ({ ...context, actor });
        await body({ ada: as('cli:ada@desk-4'), ben: as('cli:ben@desk-5'), at: later });
      },
      await env(),
    );

  describe(name, () => {
    test('what one person reactivates stays suspended until another one agrees, and then works by that', () =>
      inNewStore(async ({ ada, ben }) => {
        const { programId } = await onboard(ada);
        await suspendProgram(ada, { programId, reason: 'leak' });
        const asked = await reactivateProgram(ada, { programId, reason: 'all clean' });
        assert.equal(asked.remaining.length, 1);
        const approvalId = asked.approval?.approvalId ?? '';
        assert.equal(await isSuspended(ada, programId), true);
        const again = await reactivateProgram(ada, { programId });
        assert.deepEqual([again.changed, again.approval?.approvalId], [false, approvalId]);
        await assert.rejects(grantApproval(ada, { approvalId }), refusal(/somebody else/));
        assert.equal(await isSuspended(ada, programId), true);
        const granted = await grantApproval(ben, { approvalId });
        assert.equal(granted.changed, true);
        assert.equal(await isSuspended(ada, programId), false);
        assert.equal((await grantApproval(ben, { approvalId })).changed, false);
        const lines = await ada.audit.lines({ change: granted.receipt.sequence, limit: 9 });
        assert.deepEqual(
          lines.map(({ action, target, actor }) => [action, target, actor]),
          [
            ['program.reactivate', programId, ben.actor],
            ['approval.grant', approvalId, ben.actor],
            ['receipt', `change/${granted.receipt.sequence}`, ben.actor],
          ],
        );
        assert.equal(lines[0]?.detail['asked_by'], ada.actor);
      }));

    test('a grant does not undo a suspension that came after the question', () =>
      inNewStore(async ({ ada, ben }) => {
        const { clientId } = await onboard(ada);
        await suspendClient(ada, { clientId, reason: 'leak' });
        const { approval } = await reactivateClient(ada, { clientId });
        const approvalId = approval?.approvalId ?? '';
        await suspendClient(ben, { clientId, reason: 'leaked again' });
        await assert.rejects(grantApproval(ben, { approvalId }), refusal(/suspended again/));
        const [client] = await ada.directory.clients({ clientId });
        assert.equal(client?.state, 'suspended');
        const [pending] = await listApprovals(ada, { pendingOnly: true });
        assert.equal(pending?.state, 'pending', 'what was refused is undone whole');
      }));

    test('what expired or was refused is granted no more', () =>
      inNewStore(async ({ ada, ben, at }) => {
        const { clientId } = await onboard(ada);
        await suspendClient(ada, { clientId, reason: 'leak' });
        const late = (await reactivateClient(ada, { clientId })).approval?.approvalId ?? '';
        const tomorrow = at(ben, 25 * HOUR_MS);
        await assert.rejects(grantApproval(tomorrow, { approvalId: late }), refusal(/expired/));
        assert.deepEqual(await listApprovals(tomorrow, { pendingOnly: true }), []);
        await refuseApproval(ben, { approvalId: late, reason: 'not yet' });
        await assert.rejects(grantApproval(ben, { approvalId: late }), refusal(/refused by/));
        const none = { approvalId: 'approval_none' };
        await assert.rejects(grantApproval(ben, none), refusal(/no approval approval_none/));
      }));

    test('the glass is broken with a reason, which stands in a line of its own, and by no change that asks nobody', () =>
      inNewStore(async ({ ada }) => {
        const { programId } = await onboard(ada);
        await suspendProgram(ada, { programId, reason: 'leak' });
        const change = { kind: 'program.reactivate', programId } as const;
        const direct = ada.changes.commit({ change, actor: ada.actor, atMs: 1 });
        await assert.rejects(direct, refusal(/demands that somebody else approves/));
        const silent = reactivateProgram(ada, { programId, breakGlass: true });
        await assert.rejects(silent, refusal(/needs a --reason/));
        assert.equal(await isSuspended(ada, programId), true);
        const terms = { breakGlass: true, reason: 'nobody else is here' };
        const { receipt } = await reactivateProgram(ada, { programId, ...terms });
        assert.equal(await isSuspended(ada, programId), false);
        const [line] = await ada.audit.lines({ action: 'break-glass', limit: 9 });
        assert.deepEqual([line?.change, line?.target], [receipt.sequence, programId]);
        assert.deepEqual(line?.detail, { of: 'program.reactivate', reason: terms.reason });
      }));

    test('an end given to a suspension holds once somebody else has agreed to it, and not before', () =>
      inNewStore(async ({ ada, ben, at }) => {
        const { clientId } = await onboard(ada);
        const other = await onboard(ada);
        const untilMs = ada.clock.wallMs() + HOUR_MS;
        const { endApproval } = await suspendClient(ada, { clientId, reason: 'x', untilMs });
        const many = await suspendClients(ada, {
          ...{ where: [`program=${other.programId}`], reason: 'x', untilMs },
        });
        const after = at(ada, 2 * HOUR_MS);
        assert.equal(await endDueSuspensions(after), 0);
        const approvalId = endApproval?.approvalId ?? '';
        await assert.rejects(grantApproval(ada, { approvalId }), refusal(/somebody else/));
        assert.equal((await grantApproval(ben, { approvalId })).changed, true);
        assert.equal(await endDueSuspensions(ada), 0, 'its time has not come');
        assert.equal(await endDueSuspensions(after), 1);
        const [client] = await ada.directory.clients({ clientId });
        assert.equal(client?.state, 'active');
        const ofMany = many.endApproval?.approvalId ?? '';
        await grantApproval(ben, { approvalId: ofMany });
        assert.equal(await endDueSuspensions(after), 1);
      }));

    test('a suspension whose end nobody was asked about does not end once approvals are demanded', () =>
      inNewStore(async ({ ada, ben, at }) => {
        await endPolicy(ada, ben);
        const { clientId } = await onboard(ada);
        const untilMs = ada.clock.wallMs() + HOUR_MS;
        const { endApproval } = await suspendClient(ada, { clientId, reason: 'x', untilMs });
        assert.equal(endApproval, undefined);
        await setPolicy(ada, { name: POLICY, value: '1' });
        const later = at(ada, 2 * HOUR_MS);
        assert.equal(await endDueSuspensions(later), 0);
        await endPolicy(ada, ben);
        assert.equal(await endDueSuspensions(later), 1);
      }));

    test('the demand for approvals ends by an approval; other policies are set by one person', () =>
      inNewStore(async ({ ada, ben }) => {
        const { approval } = await setPolicy(ada, { name: POLICY, value: '0' });
        assert.equal(await policyOf(ada, POLICY), '1');
        assert.equal(approval?.target, `policy/${POLICY}`);
        await setPolicy(ada, { name: 'leaked-secret', value: 'revoke' });
        assert.equal(await policyOf(ada, 'leaked-secret'), 'revoke');
        await grantApproval(ben, { approvalId: approval?.approvalId ?? '' });
        assert.equal(await policyOf(ada, POLICY), '0');
        const { programId } = await onboard(ada);
        await suspendProgram(ada, { programId, reason: 'leak' });
        assert.equal((await reactivateProgram(ada, { programId })).approval, undefined);
        assert.equal(await isSuspended(ada, programId), false);
      }));
  });
}

/** Whoever runs with it believes to live that much later, and so does the store. */
function later(context: OperationContext, offsetMs: number): OperationContext {
  const wallMs = (): number => context.clock.wallMs() + offsetMs;
  return {
    ...context,
    clock: { ...context.clock, wallMs },
    directory: { ...context.directory, wallMs: async () => wallMs() },
  };
}

async function endPolicy(asker: OperationContext, granter: OperationContext): Promise<void> {
  const { approval } = await setPolicy(asker, { name: POLICY, value: '0' });
  await grantApproval(granter, { approvalId: approval?.approvalId ?? '' });
}

async function isSuspended({ directory }: OperationContext, programId: string) {
  return (await directory.programs({ programId }))[0]?.suspended;
}

function refusal(message: RegExp): { name: string; message: RegExp } {
  return { name: 'ChangeRefused', message };
}

fourEyes('four eyes on SQLite', async () => ({}));

const postgres = await startPostgres();
if (typeof postgres === 'string') {
  assertMaySkip(postgres);
  test('four eyes on PostgreSQL', { skip: postgres });
} else {
  after(() => postgres.stop());
  fourEyes('four eyes on PostgreSQL', async () => envOf(await postgres.newDatabase()));
}

test('the command line asks, lists, grants to nobody who asked, refuses, and breaks the glass', async () => {
  const data = newDataDirectory();
  const { programId } = await asOperator(data, async (context) => {
    await setPolicy(context, { name: POLICY, value: '1' });
    return await onboard(context);
  });
  const cli = commandLine(data);
  const timed = await cli(['program', 'suspend', programId, '--reason', 'leak', '--until', '2h']);
  assert.match(timed.stdout, /only once somebody else has agreed: countersign approval grant /);
  const asked = await cli.json('program', 'reactivate', programId, '--reason', 'clean');
  assert.equal(asked['active'], false);
  const approvalId = String(asked['approval_id']);
  const listed = await cli(['approval', 'list']);
  assert.match(
    listed.stdout,
    new RegExp(`${approvalId} +pending +program.reactivate +${programId}`),
  );
  const granted = await cli(['approval', 'grant', approvalId]);
  assert.equal(granted.code, 1);
  assert.match(granted.stderr, /has asked for it: somebody else must grant it/);
  assert.equal((await cli(['approval', 'refuse', approvalId])).code, 0);
  const words = ['program', 'reactivate', programId, '--break-glass', '--reason', 'alone'];
  assert.equal((await cli.json(...words))['active'], true);
});
