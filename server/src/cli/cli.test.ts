import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { before, describe } from 'node:test';
import {
  assertRefused,
  assertWrongUsage,
  type CommandLine,
  commandLine,
  commandProcess,
  type Ran,
  runProgram,
} from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';
import { startServer } from '../testing/running-server.ts';

/** Runs SQL in another process: this one must not open a database that others hold locks on. */
async function tamper(data: string, sql: string): Promise<void> {
  const script = `const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(process.argv[1]);
    database.exec(process.argv[2]);
    database.close();`;
  const path = join(data, 'countersign.db');
  const { code, stderr } = await runProgram(process.execPath, ['-e', script, path, sql]);
  assert.equal(code, 0, stderr);
}

async function onboard(cli: CommandLine, ...options: readonly string[]) {
  const { program_id } = await cli.json('program', 'create', 'Example Fintech');
  const program = String(program_id);
  const where = ['--program', program, '--environment', 'sandbox', '--name', 'backend'];
  const client = await cli.json('client', 'create', ...where, ...options);
  return { program, client, clientId: String(client['client_id']) };
}

describe('an operator without a server', () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  let made: Awaited<ReturnType<typeof onboard>>;
  before(async () => {
    made = await onboard(cli, '--expires', '90d', '--allow-ip', '192.0.2.7');
  });

  test('a new client is printed with all that its owner needs', async () => {
    const { client } = made;
    assert.match(String(client['client_id']), /^client_test_[0-9A-Za-z]{16}$/);
    assert.match(String(client['client_secret']), /^secret_test_[0-9A-Za-z]{49}$/);
    assert.equal(client['environment'], 'sandbox');
    assert.equal(client['token_endpoint'], 'http://127.0.0.1:8080/sandbox/token');
    assert.ok(Date.parse(String(client['expires_at'])) > 0);
    assert.deepEqual(client['confirmed'], []);
    assert.equal(client['complete'], true);
    const shown = await cli.json('client', 'show', made.clientId);
    assert.deepEqual(shown['allow_ip'], ['192.0.2.7/32']);
    assert.equal(shown['state'], 'active');
    assert.equal(shown['token_lifetime_seconds'], 3600);
  });

  test('an undeclared scope or resource is refused with the command that declares it', async () => {
    const create = ['client', 'create', '--program', made.program, '--environment', 'sandbox'];
    const named = [...create, '--name', 'x'];
    const uri = 'https://api.bank.example';
    const scope = 'countersign scope create accounts:read --environment sandbox';
    const resource = `countersign resource create ${uri} --environment sandbox`;
    assertRefused(await cli([...named, '--scope', 'accounts:read']), new RegExp(scope));
    assertRefused(await cli([...named, '--resource', uri]), new RegExp(resource));
    await cli.json(...scope.split(' ').slice(1));
    await cli.json(...resource.split(' ').slice(1));
    const again = await cli.json(...scope.split(' ').slice(1));
    assert.equal(again['changed'], false);
    const client = await cli.json(...named, '--scope', ' accounts:read ', '--resource', uri);
    const shown = await cli.json('client', 'show', String(client['client_id']));
    assert.deepEqual(shown['scope'], ['accounts:read']);
    assert.deepEqual(shown['resources'], [uri]);
    const declared = await cli(['scope', 'list']);
    assert.match(declared.stdout, /^ENVIRONMENT {2}SCOPE\nsandbox +accounts:read\n$/);
  });

  test('a program that is suspended twice has one receipt, and lists say that it is suspended', async () => {
    const suspend = ['program', 'suspend', made.program, '--reason', 'leaked'];
    const first = await cli.json(...suspend);
    const second = await cli.json(...suspend);
    assert.equal(first['program_id'], made.program);
    assert.equal(first['changed'], true);
    assert.equal(second['changed'], false);
    assert.equal(second['sequence'], first['sequence']);
    assert.deepEqual(
      { confirmed: first['confirmed'], fenced: first['fenced'], left: first['left'] },
      { confirmed: [], fenced: [], left: [] },
    );
    const receipt = await cli.json('receipt', String(first['sequence']));
    assert.equal(receipt['complete'], true);
    const shown = await cli(['program', 'show', made.program]);
    assert.match(shown.stdout, /state: +suspended\nreason: +leaked/);
    const words = await cli(['program', 'reactivate', made.program]);
    assert.match(words.stdout, /^Reactivated: .*No node is running/);
    const listed = await cli(['program', 'list']);
    assert.match(listed.stdout, new RegExp(`${made.program} +active`));
  });

  test('a third live secret is refused, and what ends the second one is said', async () => {
    const rotated = await cli.json('secret', 'rotate', made.clientId, '--overlap', '2h');
    assert.notEqual(rotated['client_secret'], made.client['client_secret']);
    assertRefused(await cli(['secret', 'create', made.clientId]), /2 live secrets/);
    assertRefused(await cli(['secret', 'rotate', made.clientId]), /--overlap 0s/);
    const revoked = await cli.json('secret', 'revoke', String(rotated['secret_id']));
    assert.equal(revoked['kill_tokens'], false);
    const secrets = (await cli.json('secret', 'list', made.clientId)) as unknown as {
      secret_id: string;
      state: string;
    }[];
    assert.deepEqual(
      secrets.map(({ secret_id, state }) => [secret_id, state]),
      [
        [made.client['secret_id'], 'live'],
        [rotated['secret_id'], 'revoked'],
      ],
    );
  });

  test('a deleted client is gone from the list and cannot be brought back', async () => {
    const { clientId } = await onboard(cli);
    await cli.json('client', 'suspend', clientId, '--reason', 'test');
    await cli.json('client', 'delete', clientId);
    const { stdout } = await cli(['client', 'list']);
    assert.ok(!stdout.includes(clientId));
    assertRefused(await cli(['client', 'reactivate', clientId]), /there is no client/);
    const again = await cli.json('client', 'delete', clientId);
    assert.equal(again['changed'], false);
  });

  test('a token that is not of this store is told from one that is, and is never repeated', async () => {
    const token = `token_test_${'A'.repeat(90)}`;
    const inspected = await cli(['token', 'inspect', '-'], { stdin: `${token}\n` });
    assert.equal(inspected.code, 0);
    assert.match(inspected.stdout, /^standing: +unknown/);
    const revoked = await cli(['token', 'revoke', token]);
    assertRefused(revoked, /not a token of this store/);
    for (const { stdout, stderr } of [inspected, revoked]) {
      assert.ok(!`${stdout}${stderr}`.includes(token));
    }
    assertWrongUsage(await cli(['token', 'inspect', '-']), /standard input held no token/);
  });

  test('wrong usage is exit 2 with the help to read, a refusal is exit 1 with one line', async () => {
    assertWrongUsage(
      await cli(['program', 'suspend', made.program]),
      /^--reason TEXT is missing\n/,
    );
    assertWrongUsage(await cli(['programme', 'list']), /did you mean "program"\?/);
    assertWrongUsage(await cli(['nodes', '--bogus']), /no option --bogus/);
    assertRefused(await cli(['program', 'show', 'program_unknown']), /countersign program list/);
    assertRefused(await cli(['receipt', '999999']), /the newest is \d+/);
    const unreachable = await cli([
      'nodes',
      '--database-url',
      'postgres://u:hunter2@127.0.0.1:1/x',
    ]);
    assertRefused(unreachable, /the database cannot be used: connect ECONNREFUSED/);
    assert.ok(!unreachable.stderr.includes('hunter2'));
    assertRefused(await cli(['secret', 'create', made.clientId, '--expires', 'soon']), /--expires/);
    const secret = String(made.client['client_secret']);
    const slip = await cli(['client', 'show', secret]);
    assertRefused(slip, /CLIENT_ID has not the form of one/);
    assert.ok(!slip.stderr.includes(secret));
  });

  test('no secret that was printed stands anywhere in the data directory', async () => {
    const secret = String(made.client['client_secret']);
    const grep = (text: string): Promise<Ran> => runProgram('grep', ['-rlaF', text, data]);
    assert.equal((await grep(secret)).code, 1, 'the secret is on disk');
    // The control: what must be there is found by the same search.
    assert.equal((await grep(made.clientId)).code, 0);
    const shown = await cli(['client', 'show', made.clientId, '--json']);
    const audit = await cli(['audit', 'list', '--json', '--limit', '1000']);
    for (const { stdout } of [shown, audit]) assert.ok(!stdout.includes(secret));
  });
});

test('a process of its own says and ends as promised: help, version, success, refusal, wrong usage', async () => {
  const data = newDataDirectory();
  const cli = commandProcess(data);
  const nowhere = commandProcess('/dev/null/nowhere');
  assert.match((await nowhere([])).stdout, /countersign program create NAME/);
  const help = await nowhere(['client', 'create', '--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--token-lifetime SECONDS/);
  assert.match((await nowhere(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  assertRefused(await nowhere(['program', 'list']), /--data/);
  assertWrongUsage(await nowhere(['serve', '--worker', '2']), /did you mean --workers\?/);

  const first = await cli(['program', 'create', 'Example Fintech']);
  assert.match(first.stderr, /^A new data directory, with a master key in [^\n]+\n$/);
  const { program_id } = await cli.json('program', 'create', 'Example Bank');
  const suspend = ['program', 'suspend', String(program_id), '--reason', 'leaked'];
  const words = await cli(suspend);
  assert.deepEqual([words.code, words.stderr], [0, '']);
  assert.match(words.stdout, /^Suspended: .* No node is running/);
  const [line] = (await cli.json('audit', 'list', '--limit', '1')) as unknown as {
    actor: string;
  }[];
  assert.match(line!.actor, /^cli:[^@]+@.+/);
  // A reader that goes away is no failure.
  const main = new URL('../main.ts', import.meta.url).pathname;
  const piped = `'${process.execPath}' '${main}' audit list --data '${data}' | true`;
  assert.equal((await runProgram('sh', ['-c', piped])).stderr, '');
});

test('verify names the first line of the audit trail that was touched', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  const { program } = await onboard(cli);
  await cli.json('program', 'suspend', program, '--reason', 'leaked');
  const intact = await cli.json('audit', 'verify');
  assert.equal(intact['intact'], true);
  const lines = (await cli.json('audit', 'list')) as unknown as { action: string }[];
  assert.deepEqual(
    lines.map(({ action }) => action).filter((action) => action !== 'receipt'),
    ['store.create', 'program.create', 'client.create', 'program.suspend'],
  );
  assert.equal(intact['lines'], lines.length);

  await tamper(data, "UPDATE audit SET line = replace(line, 'cli:', 'cli:x') WHERE sequence = 3");
  const { code, stdout, stderr } = await cli(['audit', 'verify', '--json']);
  assert.equal(code, 1);
  assert.match(stderr, /^the audit trail is broken at line 3: /);
  assert.equal((JSON.parse(stdout) as { first_bad: number }).first_bad, 3);

  await tamper(data, "UPDATE audit SET line = replace(line, 'cli:x', 'cli:') WHERE sequence = 3");
  assert.equal((await cli.json('audit', 'verify'))['intact'], true);
  await tamper(data, `DELETE FROM audit WHERE sequence = ${lines.length}`);
  const cut = await cli(['audit', 'verify']);
  assertRefused(cut, new RegExp(`line ${lines.length}: the trail is cut off`));
});

test('the doctor finds a sound set-up sound, and says of a broken one what and how to mend it', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  type Report = { ok: boolean; checks: { name: string; ok: boolean; mend?: string }[] };
  const failures = async (...options: readonly string[]) => {
    const { code, stdout } = await cli(['doctor', '--json', ...options]);
    const { ok, checks } = JSON.parse(stdout) as Report;
    assert.equal(code, ok ? 0 : 1);
    return checks.filter((check) => !check.ok).map(({ name }) => name);
  };
  assert.deepEqual(await failures(), ['store'], 'there is no store yet, and it makes none');
  assert.deepEqual(await failures(), ['store']);
  await cli.json('program', 'create', 'x');
  assert.deepEqual(await failures(), []);

  chmodSync(data, 0o755);
  assert.deepEqual(await failures(), ['data directory']);
  const words = await cli(['doctor']);
  assert.match(words.stdout, /FAIL {2}data directory +.*0755.*\n +-> chmod 700 /);
  assert.match(words.stderr, /^1 of \d+ checks failed\n$/);
  chmodSync(data, 0o700);

  assert.deepEqual(await failures('--listen', '0.0.0.0:8080'), ['configuration']);
  assert.deepEqual(await failures('--listen', 'nonsense'), ['configuration']);
  const missing = join(data, 'missing.pem');
  const tls = ['--tls-certificate', missing, '--tls-key', missing];
  assert.deepEqual(await failures(...tls), ['certificate']);
  writeFileSync(join(data, 'other.key'), `${'A'.repeat(43)}\n`, { mode: 0o600 });
  assert.deepEqual(await failures('--master-key-file', join(data, 'other.key')), ['master key']);
  rmSync(join(data, 'master.key'));
  assert.deepEqual(await failures(), ['master key']);
});

test('beside a running server: receipts name its node, and tokens are listed, inspected and revoked', async () => {
  const data = newDataDirectory();
  const cli = commandLine(data);
  const { clientId, client, program } = await onboard(cli);
  const server = await startServer(data);
  try {
    const issue = async (): Promise<string> => {
      const response = await fetch(`${server.url}/sandbox/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: String(client['client_secret']),
        }),
      });
      assert.equal(response.status, 200);
      return ((await response.json()) as { access_token: string }).access_token;
    };
    const standing = async (token: string): Promise<unknown> => {
      const { stdout } = await cli(['token', 'inspect', '-', '--json'], { stdin: token });
      assert.ok(!stdout.includes(token));
      return (JSON.parse(stdout) as { standing: string }).standing;
    };
    const [first, second] = [await issue(), await issue()];
    assert.equal(await standing(first), 'live');
    const nodes = (await cli.json('nodes')) as unknown as { node: string; state: string }[];
    assert.deepEqual(
      nodes.map(({ state }) => state),
      ['alive'],
    );
    const revoked = await cli(['token', 'revoke', '-', '--json'], { stdin: `${first}\n` });
    const receipt = JSON.parse(revoked.stdout) as { confirmed: { node: string; ms: number }[] };
    assert.deepEqual(
      receipt.confirmed.map(({ node }) => node),
      nodes.map(({ node }) => node),
    );
    assert.equal(await standing(first), 'revoked');
    assert.equal(await standing(second), 'live');

    const listed = async (): Promise<readonly string[]> =>
      (
        (await cli.json('token', 'list', '--client', clientId)) as unknown as { standing: string }[]
      ).map((token) => token.standing);
    assert.deepEqual((await listed()).toSorted(), ['live', 'revoked']);
    const words = await cli(['program', 'suspend', program, '--reason', 'leaked']);
    assert.match(words.stdout, /^Suspended: .*Confirmed by 1 node in \d+ ms\. Receipt \d+\.\n$/);
    assert.deepEqual(await listed(), ['revoked', 'revoked']);
    await cli.json('program', 'reactivate', program);
    assert.equal(await standing(second), 'revoked');
    assert.deepEqual(await listed(), ['revoked', 'revoked'], 'reactivation revives nothing');
    assert.equal(await standing(await issue()), 'live');
    assert.deepEqual(await listed(), ['live', 'revoked', 'revoked']);
  } finally {
    await server.stop();
  }
});
