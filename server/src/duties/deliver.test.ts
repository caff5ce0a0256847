import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { Webhook as Verifier } from 'standardwebhooks';
import { commitAndAwait, type OperationContext } from '../operations/context.ts';
import { makeCheckpoint } from '../operations/make-checkpoint.ts';
import { verifyExport } from '../operations/verify-export.ts';
import { createWebhook, listWebhooks, testWebhook } from '../operations/webhooks.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator, onboard } from '../testing/onboarding.ts';
import { type Heard, type Receiver, startReceiver } from '../testing/webhook-receiver.ts';
import { DELIVERIES } from './deliver.ts';
import { startDuties } from './run-duties.ts';

const WAIT_MS_MAX = 15_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadlineMs, `not within ${WAIT_MS_MAX} ms: ${what}`);
    await pause(10);
  }
}

type World = {
  readonly context: OperationContext;
  /** As if so many nodes were running; they stop at the end. */
  run(nodes?: number): void;
  open(...of: Parameters<typeof startReceiver>): Promise<Receiver>;
};

async function withWorld(body: (world: World) => Promise<void>): Promise<void> {
  await asOperator(newDataDirectory(), async (context) => {
    const running: ReturnType<typeof startDuties>[] = [];
    const receivers: Receiver[] = [];
    const silent = { info: () => {}, warn: () => {}, error: () => {} };
    try {
      await body({
        context,
        run: (nodes = 1) => {
          for (let node = 1; node <= nodes; node += 1) {
            running.push(
              startDuties({
                duties: [{ ...DELIVERIES, everyMs: 50 }],
                roster: context.duties,
                node: `node-${node}`,
                contextOf: (actor) => ({ ...context, actor }),
                mayRun: () => true,
                report: silent,
              }),
            );
          }
        },
        open: async (...of) => {
          const receiver = await startReceiver(...of);
          receivers.push(receiver);
          return receiver;
        },
      });
    } finally {
      for (const receiver of receivers) await receiver.close().catch(() => {});
      await Promise.all(running.map((duties) => duties.stop()));
    }
  });
}

type Shipped = { type: string; data: { records: readonly Record<string, unknown>[] } };
const recordsOf = ({ body }: Heard) => (JSON.parse(body) as Shipped).data.records;
const linesOf = (heard: readonly Heard[]): readonly number[] =>
  heard.flatMap((one) =>
    recordsOf(one).flatMap(({ line, sequence }) => (line === undefined ? [] : [Number(sequence)])),
  );
const upTo = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + 1);

async function isAllHeard(context: OperationContext): Promise<boolean> {
  return (await listWebhooks(context)).every(({ behind }) => behind === 0);
}

async function programs(context: OperationContext, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) await onboard(context);
}

test('every line of the trail arrives once and in order, signed as Standard Webhooks has it, and what arrived can be verified', () =>
  withWorld(async ({ context, run, open }) => {
    const receiver = await open();
    const { secret } = await createWebhook(context, { target: receiver.url, sends: 'audit' });
    await programs(context, 60);
    await makeCheckpoint(context);
    run(2);
    await until('all is heard', () => isAllHeard(context));
    const { sequence } = await context.audit.head();
    await until('the checkpoint is heard', () =>
      receiver.heard.some(({ body }) => body.includes('"checkpoint"')),
    );
    assert.ok(sequence > 120, 'it takes several messages');
    assert.deepEqual(linesOf(receiver.heard), upTo(sequence));
    const verifier = new Verifier(secret?.reveal() ?? '');
    for (const { body, headers } of receiver.heard) {
      assert.equal(
        (verifier.verify(body, headers as Record<string, string>) as Shipped).type,
        'audit.lines',
      );
      assert.throws(() => verifier.verify(`${body} `, headers as Record<string, string>));
    }
    assert.equal(
      new Set(receiver.heard.map(({ headers }) => headers['webhook-id'])).size,
      receiver.heard.length,
    );
    const written = receiver.heard.flatMap(recordsOf).map((record) => JSON.stringify(record));
    const read = async function* () {
      yield* await Promise.resolve(written);
    };
    const verdict = await verifyExport(read);
    assert.ok(verdict.intact);
    assert.deepEqual([verdict.from, verdict.to, verdict.signedTo > 0], [1, sequence, true]);
  }));

test('while its receiver is down everything else goes on and its lag is shown; then the backlog arrives once and in order', () =>
  withWorld(async ({ context, run, open }) => {
    const [down, well] = [await open(), await open()];
    await down.close();
    await createWebhook(context, { target: down.url, sends: 'audit' });
    await createWebhook(context, { target: well.url, sends: 'audit' });
    await programs(context, 3);
    run();
    await until(
      'the other one has heard',
      async () => (await listWebhooks(context))[1]?.behind === 0,
    );
    await until(
      'a failure is noted',
      async () => ((await listWebhooks(context))[0]?.failures ?? 0) > 0,
    );
    const [lagging] = await listWebhooks(context);
    assert.equal(lagging?.deliveredTo, 0);
    assert.equal(lagging?.behind, (await context.audit.head()).sequence);
    assert.equal(lagging?.problem, 'ECONNREFUSED');
    await programs(context, 1);
    const back = await open(undefined, down.port);
    await until('all is heard', () => isAllHeard(context));
    assert.deepEqual(linesOf(back.heard), upTo((await context.audit.head()).sequence));
    assert.deepEqual(linesOf(well.heard), linesOf(back.heard));
    assert.equal((await listWebhooks(context))[0]?.failures, 0);
  }));

test('what is refused is sent again under the same id, and a receiver that hangs holds up no other', () =>
  withWorld(async ({ context, run, open }) => {
    const hanging = await open(() => ({ status: 200, hangs: true }));
    const failing = await open((_, attempt) => ({ status: attempt < 2 ? 500 : 200 }));
    for (const { url } of [hanging, failing])
      await createWebhook(context, { target: url, sends: 'audit' });
    run();
    await until('the second attempt is heard', () => failing.heard.length > 0);
    const [first, second] = failing.attempts.map(({ headers, body }) => [
      headers['webhook-id'],
      body,
    ]);
    assert.deepEqual(first, second);
    assert.equal(hanging.attempts.length, 1);
    await programs(context, 1);
    await until('later lines too', async () => (await listWebhooks(context))[1]?.behind === 0);
    assert.deepEqual(linesOf(failing.heard), upTo((await context.audit.head()).sequence));
  }));

test('a receiver that asks to be left alone is, one that is gone is disabled with a line in the trail, and no redirection is followed', () =>
  withWorld(async ({ context, run, open }) => {
    const busy = await open(() => ({ status: 503, headers: { 'Retry-After': '3600' } }));
    const gone = await open(() => ({ status: 410 }));
    const elsewhere = await open();
    const moved = await open(() => ({ status: 307, headers: { Location: elsewhere.url } }));
    for (const { url } of [busy, gone, moved])
      await createWebhook(context, { target: url, sends: 'audit' });
    run();
    const rows = () => context.webhooks.list();
    await until('all have answered', async () => {
      const [one, two, three] = await rows();
      return one?.failures === 1 && two?.disabled === true && (three?.failures ?? 0) > 1;
    });
    const [one, two, three] = await rows();
    assert.ok((one?.nextTryAtMs ?? 0) > context.clock.wallMs() + 3_500_000);
    assert.equal(busy.attempts.length, 1);
    assert.equal(gone.attempts.length, 1);
    assert.equal(three?.problem, 'HTTP 307');
    assert.equal(elsewhere.attempts.length, 0);
    const [line] = await context.audit.lines({ action: 'webhook.disable', limit: 5 });
    assert.deepEqual([line?.target, line?.actor], [two?.webhookId, 'system:deliver']);
  }));

test('a notice tells what, of whom, why, since when and by which receipt, and only whom it is for', () =>
  withWorld(async ({ context, run, open }) => {
    const [mine, other] = [await onboard(context), await onboard(context)];
    const [all, bound] = [await open(), await open()];
    await createWebhook(context, { target: all.url, sends: 'notices' });
    await createWebhook(context, {
      target: bound.url,
      sends: 'notices',
      programId: mine.programId,
    });
    const reason = 'found in a public repository';
    const suspended = await commitAndAwait(context, {
      kind: 'program.suspend',
      programId: mine.programId,
      reason,
    });
    await commitAndAwait(context, { kind: 'client.suspend', clientId: other.clientId, reason });
    const [stored] = await context.directory.secrets({ clientId: mine.clientId });
    await commitAndAwait(context, {
      kind: 'secret.expose',
      secret: stored?.ordinal ?? 0,
      where: 'url',
    });
    run();
    await until('all is heard', () => isAllHeard(context));
    const told = (of: Receiver) =>
      of.heard.map(
        ({ body }) =>
          JSON.parse(body) as { type: string; timestamp: string; data: Record<string, unknown> },
      );
    const { programId: program, clientId: client, secretId: secret } = mine;
    const summary = (of: Receiver) =>
      told(of).map(({ type, data }) => [
        type,
        data['program'],
        data['client'],
        data['secret'],
        data['reason'],
      ]);
    const [first, , third] = [
      ['suspended', program, undefined, undefined, reason],
      ['suspended', other.programId, other.clientId, undefined, reason],
      ['exposed', program, client, secret, undefined],
    ];
    assert.deepEqual(summary(bound), [first, third]);
    assert.equal(told(all).length, 3);
    assert.deepEqual(summary(all)[1], [
      'suspended',
      other.programId,
      other.clientId,
      undefined,
      reason,
    ]);
    const [notice] = told(bound);
    assert.equal(notice?.data['receipt'], suspended.receipt.sequence);
    const line = Number(notice?.data['line']);
    const [audited] = await context.audit.lines({ after: line - 1, limit: 1 });
    assert.equal(audited?.action, 'program.suspend');
    assert.equal(notice?.timestamp, new Date(audited?.atMs ?? 0).toISOString());
    const text = JSON.stringify(all.attempts);
    for (const { clientSecret } of [mine, other])
      assert.ok(!text.includes(clientSecret.slice(-20)));
  }));

test('a file holds every line once, also after a crash in the middle of one, and is verified like an export', () =>
  withWorld(async ({ context, run }) => {
    const path = join(newDataDirectory(), 'audit.jsonl');
    const target = pathToFileURL(path).href;
    await createWebhook(context, { target, sends: 'audit', mayBeFile: true });
    await programs(context, 2);
    run();
    await until('all is written', () => isAllHeard(context));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    appendFileSync(path, '{"sequence":99,"ha');
    await programs(context, 1);
    await makeCheckpoint(context);
    await until('the rest is written', () => isAllHeard(context));
    await until('the checkpoint is written', () =>
      readFileSync(path, 'utf8').includes('"checkpoint"'),
    );
    const verified = async (file: string) => {
      const read = async function* () {
        yield* await Promise.resolve(readFileSync(file, 'utf8').trimEnd().split('\n'));
      };
      const verdict = await verifyExport(read);
      assert.ok(verdict.intact, JSON.stringify(verdict));
      return [verdict.from, verdict.to];
    };
    const { sequence } = await context.audit.head();
    assert.deepEqual(await verified(path), [1, sequence]);
    // News of the last write is lost: nothing is written twice.
    const [row] = await context.webhooks.list();
    assert.ok(row);
    await context.webhooks.advance({
      from: row,
      to: { cursor: sequence - 1, checkpointCursor: row.checkpointCursor },
    });
    await until('it is up again', () => isAllHeard(context));
    assert.deepEqual(await verified(path), [1, sequence]);
    renameSync(path, `${path}.1`);
    await programs(context, 1);
    await until('a new file is written', () => isAllHeard(context));
    assert.deepEqual(await verified(path), [sequence + 1, (await context.audit.head()).sequence]);
  }));

test("a file that is no file of audit lines is left as it is, be it a key or a log of somebody else's", () =>
  withWorld(async ({ context }) => {
    for (const text of ['c2VjcmV0', 'first\nsecond\ntorn']) {
      const path = join(newDataDirectory(), 'somebody-elses');
      appendFileSync(path, text);
      const target = pathToFileURL(path).href;
      const { webhookId } = await createWebhook(context, {
        ...{ target, sends: 'audit', mayBeFile: true },
      });
      const { delivered, answer } = await testWebhook(context, { webhookId });
      assert.deepEqual([delivered, answer], [false, 'the file is no file of audit lines']);
      assert.equal(readFileSync(path, 'utf8'), text);
    }
  }));

test('a test message says how it was answered, and both that and the webhook stand in the trail without its secret or path', () =>
  withWorld(async ({ context, open }) => {
    let status = 200;
    const receiver = await open(() => ({ status }));
    const target = `${receiver.url}?token=hidden`;
    const { webhookId, secret } = await createWebhook(context, { target, sends: 'notices' });
    assert.deepEqual(await testWebhook(context, { webhookId }), {
      webhookId,
      delivered: true,
      answer: 'HTTP 200',
    });
    const [heard] = receiver.heard;
    const message = new Verifier(secret?.reveal() ?? '').verify(
      heard?.body ?? '',
      heard?.headers as Record<string, string>,
    );
    assert.equal((message as { type: string }).type, 'test');
    assert.equal(heard?.path, '/hook?token=hidden');
    status = 403;
    assert.equal((await testWebhook(context, { webhookId })).answer, 'HTTP 403');
    const lines = await context.audit.lines({ limit: 1_000 });
    assert.equal(lines.filter(({ action }) => action === 'webhook.test').length, 2);
    const kept = JSON.stringify([
      lines,
      await context.webhooks.list(),
      await listWebhooks(context),
    ]);
    assert.ok(!kept.includes((secret?.reveal() ?? '').slice(6)));
    assert.ok(!JSON.stringify([lines, await listWebhooks(context)]).includes('hidden'));
  }));

test('a webhook goes over https, or to this machine, and is refused otherwise', () =>
  withWorld(async ({ context }) => {
    for (const target of [
      'http://siem.bank.example/hook',
      'https://ada:secret@bank.example/',
      'https://bank.example/#part',
      'ftp://bank.example/',
      'siem',
      'http://127.0.0.1.bank.example/',
      'file://host/tmp/audit.jsonl',
    ]) {
      await assert.rejects(
        createWebhook(context, { target, sends: 'audit', mayBeFile: true }),
        { code: 'invalid' },
        target,
      );
    }
    const notices = { target: 'file:///tmp/notices.jsonl', sends: 'notices', mayBeFile: true };
    await assert.rejects(createWebhook(context, notices), { code: 'invalid' });
    const { programId } = await onboard(context);
    const bound = { target: 'https://bank.example/', sends: 'audit', programId };
    await assert.rejects(createWebhook(context, bound), { code: 'invalid' });
    await createWebhook(context, { target: 'http://[::1]:9/x', sends: 'audit' });
    assert.equal((await context.webhooks.list()).length, 1);
  }));
