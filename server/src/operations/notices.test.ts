import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditLine } from '../ports/model.ts';
import { suspensionId } from '../ports/suspensions.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, onboard } from '../testing/onboarding.ts';
import type { OperationContext } from './context.ts';
import { createSecret } from './create-secret.ts';
import { endDueSuspensions } from './end-due-suspensions.ts';
import { newNoticeReader } from './notices.ts';
import { reactivateClient } from './reactivate-client.ts';
import { suspendClient } from './suspend-client.ts';
import { suspendClients } from './suspend-clients.ts';

/** What a webhook is told of the whole trail, or of the one program. */
async function told(context: OperationContext, program?: string) {
  const read = newNoticeReader(context);
  const notices = [];
  for (const line of await context.audit.lines({ limit: 1_000 })) {
    const notice = await read(line, program);
    if (notice !== undefined) notices.push(notice);
  }
  return notices;
}

test('many that are suspended at once are one notice, and a program hears of its own clients alone', () =>
  asOperator(newDataDirectory(), async (context) => {
    const [mine, other] = [await onboard(context), await onboard(context)];
    const third = await onboard(context, { programId: other.programId, name: 'else' });
    const where = ['name~test', 'environment=sandbox'];
    const { receipt } = await suspendClients(context, { where, reason: 'leak' });
    const [notice, ...more] = await told(context);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [notice?.type, notice?.target, notice?.count, notice?.where, notice?.reason],
      ['suspended', 'clients', 2, where, 'leak'],
    );
    assert.equal(notice?.receipt, receipt.sequence);
    for (const { programId } of [mine, other]) {
      const [own, ...rest] = await told(context, programId);
      assert.deepEqual(rest, []);
      assert.deepEqual([own?.program, own?.count, own?.where], [programId, 1, undefined]);
    }
    assert.deepEqual(await told(context, third.programId), []);
  }));

test('a later part of many is a notice for the programs that it touches, and for nobody else', () =>
  asOperator(newDataDirectory(), async (context) => {
    const clients = [await onboard(context), await onboard(context)];
    const found = await context.directory.clients();
    for (const [index, { ordinal }] of found.entries()) {
      const many = { clients: [ordinal], where: ['name~test'], matched: 2, part: index + 1 };
      const change = { kind: 'client.suspend-many', reason: 'leak', ...many } as const;
      await context.changes.commit({ change, actor: 'test', atMs: 1 });
    }
    assert.deepEqual(
      (await told(context)).map(({ count }) => count),
      [2],
    );
    for (const { programId } of clients) assert.equal((await told(context, programId)).length, 1);
  }));

test('what another suspension keeps suspended is not told as reactivated', () =>
  asOperator(newDataDirectory(), async (context) => {
    const { clientId, programId } = await onboard(context);
    const untilMs = context.clock.wallMs() + 1_000;
    await suspendClient(context, { clientId, reason: 'short', untilMs });
    await suspendClient(context, { clientId, reason: 'leak' });
    await suspendClient(context, { clientId, reason: 'audit' });
    const dueAtMs = untilMs + 1;
    const clock = { ...context.clock, wallMs: () => dueAtMs };
    const directory = { ...context.directory, wallMs: async () => dueAtMs };
    assert.equal(await endDueSuspensions({ ...context, clock, directory }), 1);
    const open = await context.directory.suspensions({ clientId, openOnly: true });
    const leak = open.find(({ reason }) => reason === 'leak');
    assert.ok(leak);
    await reactivateClient(context, { clientId, suspensionId: suspensionId(leak.ordinal) });
    const types = async (program?: string) =>
      (await told(context, program)).map(({ type }) => type);
    assert.deepEqual(await types(), ['suspended', 'suspended', 'suspended']);
    await reactivateClient(context, { clientId });
    const expected = ['suspended', 'suspended', 'suspended', 'reactivated'];
    assert.deepEqual(await types(), expected);
    assert.deepEqual(await types(programId), expected);
  }));

test('no text that a partner chooses sends a notice of its own to another program', () =>
  asOperator(newDataDirectory(), async (context) => {
    const [mine, other] = [await onboard(context), await onboard(context)];
    const { clientId } = mine;
    const { secretId } = await createSecret(context, { clientId, name: other.programId });
    const [line] = await context.audit.lines({ action: 'secret.create', limit: 1 });
    assert.ok(line);
    for (const name of [other.programId, other.clientId]) {
      // As a claim that is used says it: the claim first, then all of the secret that was made.
      const detail = { secret: secretId, from: '192.0.2.1', name, client: clientId };
      const used: AuditLine = {
        ...line,
        action: 'claim.used',
        target: 'clm_7Hd0Vq3TzM5kXw9B',
        detail,
      };
      const read = newNoticeReader(context);
      assert.equal(await read(used, other.programId), undefined);
      const notice = await read(used, mine.programId);
      assert.deepEqual([notice?.client, notice?.program], [clientId, mine.programId]);
    }
  }));
