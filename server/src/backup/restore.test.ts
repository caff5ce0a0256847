import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setPolicy } from '../operations/policies.ts';
import { reactivateProgram } from '../operations/reactivate-program.ts';
import { suspendProgram } from '../operations/suspend-program.ts';
import { createWebhook, resumeWebhook } from '../operations/webhooks.ts';
import { type CommandLine, commandLine, commandProcess } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { jtiOf } from '../testing/kill-rounds.ts';
import {
  asOperator,
  introspect,
  type Onboarded,
  onboard,
  requestToken,
} from '../testing/onboarding.ts';
import { startServer } from '../testing/running-server.ts';

const CALLERS = 6;
const LOAD_MS = 400;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A new directory with the master key of another one. */
function directoryFor(data: string): string {
  const directory = newDataDirectory();
  cpSync(join(data, 'master.key'), join(directory, 'master.key'));
  return directory;
}

async function taken(url: string, client: Onboarded): Promise<string> {
  const token = await requestToken(url, client);
  assert.ok(token, 'a token was refused');
  return token;
}

/** The jti of every token on record for a client. */
function journaled(data: string, client: Onboarded): Promise<Set<string>> {
  return asOperator(data, async ({ directory, journal }) => {
    const [record] = await directory.clients({ clientId: client.clientId });
    const query = { client: record!.ordinal, sinceMs: 0, limit: 10_000 };
    return new Set(
      (await journal.list(query)).map(({ jti }) => Buffer.from(jti).toString('base64url')),
    );
  });
}

test('a backup under load holds every token that was answered before it began, and refuses no request', async () => {
  const data = newDataDirectory();
  const file = join(newDataDirectory(), 'backup');
  const client = await asOperator(data, (context) => onboard(context));
  const server = await startServer(data, { args: ['--workers', '2'] });
  const answered: string[] = [];
  let refused = 0;
  let isOver = false;
  const call = async (): Promise<void> => {
    while (!isOver) {
      const token = await requestToken(server.url, client);
      if (token === undefined) refused += 1;
      else answered.push(token);
    }
  };
  const callers = Array.from({ length: CALLERS }, call);
  await pause(LOAD_MS);
  const before = answered.map(jtiOf);
  const document = await commandProcess(data).json('backup', file);
  const during = answered.length - before.length;
  isOver = true;
  await Promise.all(callers);
  assert.equal(await server.stop(), 0);

  const restored = directoryFor(data);
  await commandLine(restored).json('restore', file);
  const kept = await journaled(restored, client);
  assert.ok(
    before.length > 0 && during > 0,
    `${before.length} before, ${during} during the backup`,
  );
  assert.deepEqual([before.filter((jti) => !kept.has(jti)), refused], [[], 0]);
  assert.equal(kept.size, document['tokens']);
});

test('nothing that was killed after a backup opens once it is restored, and no other earlier token does', async () => {
  const data = newDataDirectory();
  const file = join(newDataDirectory(), 'backup');
  const cli = commandLine(data);
  const [client, bystander, asker] = await asOperator(data, async (context) => [
    await onboard(context),
    await onboard(context),
    await onboard(context, { resourceServer: true }),
  ]);
  const first = await startServer(data);
  const suspend = (reason: string): Promise<unknown> =>
    cli.json('program', 'suspend', client.programId, '--reason', reason);
  const old = [await taken(first.url, client), await taken(first.url, bystander)];
  await suspend('one');
  await cli.json('backup', file);
  await cli.json('program', 'reactivate', client.programId);
  // A key that the backup does not know of, and a token under it.
  old.push(await taken(first.url, client));
  await cli.json('keys', 'rotate', '--environment', 'sandbox');
  old.push(await taken(first.url, client), await taken(first.url, bystander));
  await cli.json('secret', 'revoke', bystander.secretId);
  await suspend('two');
  assert.equal(await first.stop(), 0);

  const restored = directoryFor(data);
  const again = commandLine(restored);
  await again.json('restore', file);
  const second = await startServer(restored);
  try {
    const programs = (await again.json('program', 'list')) as unknown as Record<string, string>[];
    assert.deepEqual(new Set(programs.map(({ state }) => state)), new Set(['suspended']));
    const { stdout } = await again(['program', 'show', bystander.programId]);
    assert.match(stdout, /reason: +restored from backup of 2\d{3}-/);
    assert.equal(await requestToken(second.url, client), undefined);
    for (const { programId } of [client, bystander, asker]) {
      await again.json('program', 'reactivate', programId);
    }
    // A secret that was revoked after the backup: what the suspension is for.
    const fresh = [await taken(second.url, client), await taken(second.url, bystander)];
    for (const token of fresh) assert.equal(await introspect(second.url, asker, token), 'active');
    for (const token of old) assert.equal(await introspect(second.url, asker, token), 'inactive');
    assert.deepEqual(await standings(again, client), ['live', 'revoked']);
  } finally {
    await second.stop();
  }
});

test('a restored store tells no webhook and grants nothing that waited, until it is told to; kept active, it does', async () => {
  const data = newDataDirectory();
  const file = join(newDataDirectory(), 'backup');
  const target = 'https://desk.bank.example/hooks';
  const webhookId = await asOperator(data, async (context) => {
    const { programId } = await onboard(context);
    await setPolicy(context, { name: 'reactivation-approvals', value: '1' });
    await suspendProgram(context, { programId, reason: 'leak' });
    const { approval } = await reactivateProgram(context, { programId });
    assert.equal(approval?.state, 'pending');
    return (await createWebhook(context, { target, sends: 'notices' })).webhookId;
  });
  await commandLine(data).json('backup', file);
  const restoredWith = async (...options: readonly string[]) => {
    const restored = directoryFor(data);
    const cli = commandLine(restored);
    await cli.json('restore', file, ...options);
    return await asOperator(restored, async (context) => {
      const [webhook] = await context.webhooks.list();
      const [approval] = await context.directory.approvals({ limit: 9 });
      const resumed = await resumeWebhook(context, { webhookId });
      const again = await resumeWebhook(context, { webhookId });
      const after = (await context.webhooks.list())[0]?.disabled;
      const changed = [resumed.changed, again.changed];
      return { disabled: webhook?.disabled, state: approval?.state, changed, after };
    });
  };
  assert.deepEqual(await restoredWith(), {
    ...{ disabled: true, state: 'refused', changed: [true, false], after: false },
  });
  assert.deepEqual(await restoredWith('--keep-active'), {
    ...{ disabled: false, state: 'pending', changed: [false, false], after: false },
  });
});

/** Of the tokens on record for a client, newest first. */
async function standings(cli: CommandLine, client: Onboarded): Promise<readonly unknown[]> {
  const listed = await cli.json('token', 'list', '--client', client.clientId);
  return (listed as unknown as Record<string, unknown>[]).map(({ standing }) => standing);
}

/** Every number by which a token, a journal or a log names something, with what it names. */
function numbersIn(data: string): ReadonlyMap<string, unknown> {
  const database = new DatabaseSync(join(data, 'countersign.db'), { readOnly: true });
  const named = [
    ['program', 'SELECT ordinal AS n, program_id AS what FROM programs'],
    ['client', 'SELECT ordinal AS n, client_id AS what FROM clients'],
    ['secret', 'SELECT ordinal AS n, secret_id AS what FROM secrets'],
    ['set', "SELECT environment || '/' || id AS n, scope AS what FROM scope_sets"],
    ['resource', "SELECT environment || '/' || number AS n, uri AS what FROM resources"],
    [
      'key',
      "SELECT purpose || '/' || environment || '/' || version AS n, wrapped AS what FROM keys",
    ],
  ] as const;
  const numbers = named.flatMap(([kind, query]) =>
    database
      .prepare(query)
      .all()
      .map(({ n, what }) => [`${kind} ${n}`, what] as const),
  );
  database.close();
  return new Map(numbers);
}

test('no number that was given out before a restore, in the backup or after it, names anybody else after it', async () => {
  const data = newDataDirectory();
  const file = join(newDataDirectory(), 'backup');
  const addAll = async (cli: CommandLine, name: string, directory: string): Promise<void> => {
    const sandbox = ['--environment', 'sandbox'];
    await cli.json('scope', 'create', name, ...sandbox);
    await cli.json('resource', 'create', `https://${name}.example`, ...sandbox);
    await cli.json('keys', 'rotate', ...sandbox);
    await asOperator(directory, (context) => onboard(context, { scope: [name] }));
  };
  const cli = commandLine(data);
  await addAll(cli, 'one', data);
  await cli.json('backup', file);
  await addAll(cli, 'two', data);
  await addAll(cli, 'three', data);
  const restored = directoryFor(data);
  await commandLine(restored).json('restore', file);
  await addAll(commandLine(restored), 'four', restored);
  await addAll(commandLine(restored), 'five', restored);

  const before = numbersIn(data);
  const after = numbersIn(restored);
  const moved = [...after].filter(
    ([number, what]) => before.has(number) && before.get(number) !== what,
  );
  assert.deepEqual(moved, []);
  for (const kind of ['program', 'client', 'secret', 'set 1', 'resource 1', 'key token/1']) {
    const fresh = [...after.keys()].filter((n) => n.startsWith(kind) && !before.has(n));
    assert.ok(fresh.length >= 2, `${kind}: ${[...after.keys()].join(', ')}`);
  }
  const resources = await commandLine(restored)(['resource', 'list']);
  assert.deepEqual(resources.stdout.match(/https:\S+/g), [
    'https://one.example',
    'https://four.example',
    'https://five.example',
  ]);
});

test('a restore begins a new life of the store and stands in its audit trail, with who, from what, and how', async () => {
  const data = newDataDirectory();
  const file = join(newDataDirectory(), 'backup');
  const cli = commandLine(data);
  const { program_id } = await cli.json('program', 'create', 'Acme');
  const backup = await cli.json('backup', file);
  const position = (directory: string) =>
    asOperator(directory, ({ log }) => log.poll(Number(backup['sequence']) + 1));

  for (const keepActive of [false, true]) {
    const restored = directoryFor(data);
    const again = commandLine(restored);
    const made = await again.json('restore', file, ...(keepActive ? ['--keep-active'] : []));
    const { incarnation, head } = await position(restored);
    assert.equal(incarnation, made['incarnation']);
    assert.notEqual(incarnation, backup['incarnation']);
    assert.equal(head, Number(backup['sequence']) + 1);
    const [line] = (await again.json('audit', 'list', '--limit', '1')) as unknown as object[];
    assert.partialDeepStrictEqual(line, {
      action: 'store.restore',
      actor: 'cli:ada@desk-4',
      change: head,
      detail: {
        incarnation,
        backup: backup['sha256'],
        taken_at: backup['taken_at'],
        backup_incarnation: backup['incarnation'],
        programs_suspended: keepActive ? 0 : 1,
        keep_active: keepActive,
      },
    });
    assert.equal((await again.json('audit', 'verify'))['intact'], true);
    const keys = (await again.json('keys', 'list')) as unknown as Record<string, unknown>[];
    const opening = keys.filter((key) => key['purpose'] === 'token' && !('retired_at' in key));
    assert.deepEqual(
      opening.map(({ environment, version }) => [environment, version]),
      [
        ['sandbox', 101],
        ['production', 101],
      ],
    );
    const shown = await again.json('program', 'show', String(program_id));
    assert.equal(shown['state'], keepActive ? 'active' : 'suspended');
    // The very suspension of the restore, should it stand.
    const reason = String(shown['suspended_reason'] ?? 'x');
    const suspend = ['program', 'suspend', String(program_id), '--reason', reason];
    const suspended = await again.json(...suspend);
    assert.deepEqual(
      [suspended['changed'], suspended['sequence']],
      keepActive ? [true, head + 1] : [false, head],
    );
    assert.equal(existsSync(join(restored, 'restore.partial')), false);
  }
});
