import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const START = join(import.meta.dirname, 'start.ts');
const COUNTERSIGN = join(import.meta.dirname, '../../server/src/main.ts');
const READY_MS_MAX = 240_000;

type Demo = {
  readonly child: ChildProcess;
  /** Everything it has said so far. */
  readonly said: () => string;
  readonly ended: Promise<readonly unknown[]>;
};

let folder: string;
let ports: readonly number[];
let flags: readonly string[];
/** Those that have not ended: the number of a process group that is gone may be anybody's by now. */
const running = new Set<Demo>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-demo-'));
  ports = await freePorts(3);
  const [listen, admin, api] = ports.map((port) => `127.0.0.1:${port}`) as [string, string, string];
  flags = [
    '--listen',
    listen,
    '--admin-listen',
    admin,
    '--api-listen',
    api,
    '--data',
    "the bank's",
  ];
});

after(async () => {
  for (const { child } of running) kill(-child.pid!, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

// One that failed must not fail the next, by the ports that it holds.
afterEach(async () => {
  for (const { child, ended } of running) {
    kill(-child.pid!, 'SIGKILL');
    await ended;
  }
});

/** Runs `start.ts` as a terminal would: in a process group of its own. */
const start = (args = flags): Demo => {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const child = spawn(process.execPath, [START, ...args], { cwd: folder, stdio, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const demo = { child, said: () => text, ended: once(child, 'close') };
  running.add(demo);
  child.once('close', () => running.delete(demo));
  return demo;
};

/** Waits until it has said everything there is to say. */
const ready = async (demo: Demo): Promise<string> => {
  const deadline = performance.now() + READY_MS_MAX;
  while (!/Ctrl-C stops everything/.test(demo.said())) {
    assert.ok(performance.now() < deadline, `not ready: ${demo.said()}`);
    assert.equal(demo.child.exitCode, null, demo.said());
    await sleep(50);
  }
  return demo.said();
};

const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(Array.from({ length: count }, () => occupy(0)));
  const numbers = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return numbers;
};

const occupy = async (port: number): Promise<Server> => {
  const server = createServer().listen(port, '127.0.0.1');
  // A test that fails leaves it open, and must not keep the process.
  server.unref();
  await once(server, 'listening');
  return server;
};

const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
};

/** The commands as they were printed, in their order. */
const commandsIn = (text: string): readonly string[] => {
  const commands = text.split('\n\n').filter((block) => /^(curl|npx) /.test(block));
  assert.equal(commands.length, 5, text);
  return commands;
};

/** The same, where there is no checkout around it for npx to look into. */
const operator = (command = ''): string =>
  `${command.replace('npx --no-install countersign', `${process.execPath} ${COUNTERSIGN}`)} --json`;

const shell = async (command: string): Promise<Record<string, unknown>> =>
  JSON.parse((await promisify(execFile)('sh', ['-c', command], { cwd: folder })).stdout);

const idsIn = (text: string): readonly unknown[] =>
  [/client_id=(\w+)/, /program suspend (\w+)/].map((id) => id.exec(text)?.[1]);

const secretIn = (text: string): unknown => /secret_test_\w+/.exec(text)?.[0];

const hasCurl = spawnSync('curl', ['--version']).status === 0;
// Where the commands cannot be run they have not been tested: CI must not take that for a pass.
const skip = hasCurl || process.env['CI'] !== undefined ? false : 'there is no curl here';

describe('npm start', () => {
  let first = '';

  it('tells a story of commands that work as printed, and ends cleanly at Ctrl-C', {
    skip,
  }, async () => {
    const demo = start();
    first = await ready(demo);
    const [authenticate = '', list = '', pay = '', suspend, reactivate] = commandsIn(first);
    for (const part of [
      "-H 'Accept: application/json'",
      "-H 'Content-Type: application/x-www-form-urlencoded'",
      '--data "grant_type=client_credentials"',
    ]) {
      assert.ok(authenticate.includes(part), part);
    }
    const granted = await shell(authenticate);
    assert.deepEqual([granted['token_type'], granted['expires_in']], ['Bearer', 3600]);
    const accounts = (await shell(list))['data'] as readonly Record<string, unknown>[];
    assert.equal(accounts.length, 3);
    const withNewToken = (command: string, { access_token: token }: Record<string, unknown>) =>
      command.replace(/token_test_[\w-]+/, String(token));
    assert.deepEqual((await shell(withNewToken(list, granted)))['data'], accounts);

    const paid = await shell(pay);
    assert.equal(paid['balance_cents'], Number(accounts[0]?.['balance_cents']) - 290);
    assert.deepEqual(await shell(pay), paid, 'paid once');
    assert.equal((await shell(operator(suspend)))['complete'], true);
    for (const dead of [list, pay]) {
      const { status, error } = await shell(dead);
      assert.deepEqual([status, error], [401, 'invalid_token']);
    }
    await shell(operator(reactivate));
    assert.equal((await shell(list))['status'], 401, 'what was killed stays dead');
    const [{ balance_cents: balance } = {}] = (
      await shell(withNewToken(list, await shell(authenticate)))
    )['data'] as readonly Record<string, unknown>[];
    assert.equal(balance, paid['balance_cents']);

    // To the whole group, as a terminal does: every process gets it by itself, too.
    kill(-demo.child.pid!, 'SIGINT');
    assert.deepEqual(await demo.ended, [0, null], demo.said());
    assert.doesNotMatch(demo.said(), /killed|has ended/);
  });

  it('finds everything as it was, makes a new secret, and says when one of its processes dies', async () => {
    const demo = start();
    const second = await ready(demo);
    if (first !== '') {
      assert.deepEqual(idsIn(second), idsIn(first));
      assert.notEqual(secretIn(second), secretIn(first));
      const refused = await shell(String(commandsIn(first)[0]));
      assert.equal(refused['error'], 'invalid_client', 'the secret of the first start has ended');
    }
    const receipt = await shell(operator(commandsIn(second)[3]));
    assert.equal(receipt['complete'], true);
    const [, token] = /Bearer (token_\S+)'/.exec(second) ?? [];
    const call = await fetch(`http://127.0.0.1:${ports[2]}/v1/accounts`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(call.status, 401, 'the printed command suspends the program');

    const { pid } = demo.child;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    const [authority] = children.split(' ');
    kill(authority === undefined || authority === '' ? -pid! : Number(authority), 'SIGKILL');
    const [code] = await demo.ended;
    if (authority !== '') {
      assert.equal(code, 1);
      assert.match(demo.said(), /The authority has ended by itself \(SIGKILL\)/);
      await assert.rejects(
        fetch(`http://127.0.0.1:${ports[2]}/health/live`),
        'the other is stopped',
      );
    }
  });

  it('leaves a suspended program suspended, and says how to let it in again', async () => {
    const demo = start();
    const said = await ready(demo);
    assert.match(
      said,
      /program is suspended.*\n.*program reactivate program_\w+ --data 'the bank'\\''s'/,
    );
    assert.doesNotMatch(said, /curl/);
    kill(demo.child.pid!, 'SIGTERM');
    assert.deepEqual(await demo.ended, [0, null], demo.said());
  });

  it('names every busy address and what to do, and starts nothing', async () => {
    const taken = await Promise.all([occupy(ports[0]!), occupy(ports[2]!)]);
    const demo = start();
    const [code] = await demo.ended;
    for (const server of taken) server.close();
    assert.equal(code, 1);
    const [one, two, advice] = demo.said().trim().split('\n');
    assert.match(
      one!,
      new RegExp(`127.0.0.1:${ports[0]} \\(for the authority\\) is in use.*--listen`),
    );
    assert.match(two!, new RegExp(`127.0.0.1:${ports[2]} \\(for the Banking API\\).*--api-listen`));
    assert.match(advice!, /npm start -- --listen/);
  });

  it('refuses options that it does not know, and shows those that it does', async () => {
    for (const args of [
      ['--port', '1'],
      ['--listen', '8080'],
      ['--api-listen', '127.0.0.1:0'],
    ]) {
      const demo = start(args);
      const [code] = await demo.ended;
      assert.equal(code, 2, demo.said());
      assert.match(demo.said(), /npm start \[-- OPTIONS\]/);
    }
  });
});
