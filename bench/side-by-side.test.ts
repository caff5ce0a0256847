import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { alone } from './alone.ts';
import type { Figures } from './figures.ts';
import { countJournalRows, fillJournal } from './journal-rows.ts';
import { anywhere, type Placement, processorSeconds, residentMiB } from './machine.ts';
import { pace } from './pace.ts';
import { dependencies, PEERS } from './peers.ts';
import { plotOf } from './plot.ts';
import { withTimes } from './rates.ts';
import { beyondUsual, groupsOf } from './report.ts';
import { readSizeOptions } from './size-options.ts';
import { syncsIn } from './syncs.ts';
import { answerOf } from './target.ts';

const FREE: Placement = {
  words: 'anywhere',
  onServerCore: anywhere,
  onLoadCore: anywhere,
  moveToLoadCore: () => {},
};

/** A server that answers nothing until `stallMs` after its first request. */
async function serving(
  t: TestContext,
  body: string,
  options: { status?: number; stallMs?: number },
) {
  const { status = 200, stallMs = 0 } = options;
  let firstMs: number | undefined;
  const server = createServer((request, response) => {
    firstMs ??= performance.now();
    const waitMs = Math.max(0, stallMs - (performance.now() - firstMs));
    request.resume().on('end', () => {
      setTimeout(() => {
        response.writeHead(status, { 'Content-Length': String(body.length) }).end(body);
      }, waitMs);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('load at a fixed rate', () => {
  test('sends as many as were asked for, and each is answered', async (t) => {
    const url = await serving(t, 'fine', {});
    const paced = await pace(
      { url, form: { a: 'b' } },
      { placement: FREE, seconds: 1, ratePerSecond: 50 },
    );
    assert.equal(paced.answers, 50);
    assert.ok(
      paced.p50Ms <= paced.p99Ms && paced.p99Ms <= paced.p999Ms && paced.p999Ms <= paced.maxMs,
    );
  });

  test('a server that stalls cannot hide the requests that were meant to be sent meanwhile', async (t) => {
    const stallMs = 1_000;
    const url = await serving(t, 'late', { stallMs });
    // 300 are due within the stall and only 32 connections are there: a generator that waits for answers would count 32 slow ones.
    const paced = await pace({ url }, { placement: FREE, seconds: 2, ratePerSecond: 300 });
    assert.equal(paced.answers, 600);
    assert.ok(paced.maxMs >= stallMs * 0.9, `${paced.maxMs} ms at most`);
    assert.ok(paced.p99Ms >= stallMs * 0.8, `${paced.p99Ms} ms at 99 %`);
  });

  test('an answer that is not 200 is no result', async (t) => {
    const url = await serving(t, 'no', { status: 503 });
    await assert.rejects(
      pace({ url }, { placement: FREE, seconds: 1, ratePerSecond: 10 }),
      /not a good one: HTTP\/1.1 503/,
    );
  });
});

test('a p99 is compared with the bare server at the same share of its own capacity', () => {
  const row = { p50Ms: 1, p999Ms: 9, lateP99Ms: 0, ratePerSecond: 1, beside: 'bare' };
  const [, , own] = withTimes([
    { ...row, name: 'bare', share: 0.25, p99Ms: 1 },
    { ...row, name: 'bare', share: 0.5, p99Ms: 2 },
    { ...row, name: 'token', share: 0.5, p99Ms: 6 },
  ]);
  assert.equal(own?.p99Times, 3);
});

test('a sync that another thread interrupted is counted once', () => {
  const log = `7 fdatasync(23 <unfinished ...>
8 fsync(21) = 0
7 <... fdatasync resumed>) = 0
7 openat(AT_FDCWD, "fsync", O_RDONLY) = 3
`;
  assert.equal(syncsIn(log), 2);
});

describe('the picture', () => {
  const spread = { median: 0, min: 0, max: 0 };
  const figures = (name: string, median: number, isPeer?: true): Figures => ({
    subject: { name, beside: 'bare POST', ...(isPeer && { isPeer }) },
    ratio: { ...spread, median },
    requestsPerSecond: spread,
    p50Ms: spread,
    p99Ms: spread,
    processorUs: undefined,
  });

  test('has a group for each question, the fastest first, with ours told apart', () => {
    const [token, introspect] = groupsOf([
      figures('POST /token', 0.4),
      figures('POST /token, PostgreSQL', 0.3),
      figures('POST /token, another', 0.6, true),
      figures('POST /introspect', 0.5),
    ]);
    assert.deepEqual(token?.bars, [
      { name: 'another', ratio: 0.6, isOurs: false },
      { name: 'Countersign', ratio: 0.4, isOurs: true },
      { name: 'Countersign, PostgreSQL', ratio: 0.3, isOurs: true },
    ]);
    assert.equal(introspect?.bars.length, 1);
  });

  test('Countersign on PostgreSQL is compared with what is usual there, when both were measured', () => {
    const own = figures('POST /token, PostgreSQL', 0.3);
    const usual = figures('POST /token, node-oauth, PostgreSQL', 0.12, true);
    assert.match(beyondUsual([own, usual]) ?? '', /: 2\.5 times/);
    assert.equal(beyondUsual([own]), undefined);
  });

  test('is an SVG whose names cannot become markup', () => {
    const bars = [{ name: '<script>&"', ratio: 0.02, isOurs: false }];
    const svg = plotOf('Ratios', [{ title: 'POST /token', bars }]);
    assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    assert.match(svg, /&lt;script>&amp;&quot;/);
    assert.doesNotMatch(svg, /<script/);
    assert.match(svg, />0\.020</);
  });
});

describe('peers', () => {
  const folder = join(import.meta.dirname, 'peers');

  test('each has its server, and stands in the lock in the exact version that is told', () => {
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    for (const peer of PEERS) {
      assert.ok(existsSync(join(folder, peer.file)), peer.file);
      if (peer.package === undefined) continue;
      const version = dependencies()[peer.package];
      assert.match(version ?? '', /^\d+\.\d+\.\d+$/);
      assert.equal(lock.packages[`node_modules/${peer.package}`].version, version);
    }
  });

  test('none is a dependency of the project', () => {
    const lock = readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8');
    assert.doesNotMatch(lock, /bench\/peers|"node_modules\/(oidc-provider|better-auth)"/);
  });
});

describe('sizes', () => {
  test('revoked tokens and rows are added to the largest usual number of clients', () => {
    const { sizes } = readSizeOptions(['--clients', '100,10000,1000000', '--journal-rows', '5000']);
    assert.deepEqual(sizes, [
      { clients: 100, journalRows: 0, revoked: 0 },
      { clients: 10_000, journalRows: 0, revoked: 0 },
      { clients: 1_000_000, journalRows: 0, revoked: 0 },
      { clients: 10_000, journalRows: 0, revoked: 100_000 },
      { clients: 10_000, journalRows: 5_000, revoked: 0 },
    ]);
    assert.throws(() => readSizeOptions(['--clients', '100,']), /whole number/);
  });

  test('a journal that was filled holds as many rows as were asked for', (t) => {
    const data = mkdtempSync(join(tmpdir(), 'countersign-rows-'));
    t.after(() => rmSync(data, { recursive: true, force: true }));
    fillJournal(data, { rows: 1_234, clients: 10 });
    assert.equal(countJournalRows(data), 1_234);
  });
});

test('while one has its turn all others stand still, and go on after it, however it ends', async (t) => {
  if (!existsSync('/proc/self/stat')) return t.skip('this system has no /proc');
  const script =
    "require('node:http').createServer((_, answer) => answer.end('fine')).listen(0, '127.0.0.1', function () { console.log(this.address().port); })";
  const turns = await Promise.all(
    [1, 2, 3].map(async () => {
      const child = spawn(process.execPath, ['-e', script]);
      t.after(() => child.kill('SIGKILL'));
      const [port] = await once(child.stdout, 'data');
      return { target: { url: `http://127.0.0.1:${Number(port)}/` }, pids: [child.pid ?? 0] };
    }),
  );
  const states = (): readonly string[] =>
    turns
      .map(({ pids }) => stateOf(pids[0] ?? 0))
      .map((state) => (state === 'T' ? 'stands' : 'runs'));
  for (const [nth, turn] of turns.entries()) {
    const expected = turns.map((_, at) => (at === nth ? 'runs' : 'stands'));
    const heard = await alone(turn, turns, async () => {
      assert.deepEqual(states(), expected);
      return await answerOf(turn.target);
    });
    assert.equal(heard, 'fine');
  }
  const [first] = turns;
  assert.ok(first);
  await assert.rejects(
    alone(first, turns, () => Promise.reject(new Error('no good answer'))),
    /no good answer/,
  );
  for (const { target } of turns) assert.equal(await answerOf(target), 'fine');
});

/** The letter by which the system tells whether a process runs, sleeps or was stopped. */
const stateOf = (pid: number): string | undefined =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];

test('processor time covers children, also those that have ended', async (t) => {
  const own = processorSeconds([process.pid]);
  if (own === undefined) return t.skip('this system has no /proc');
  assert.ok((residentMiB(process.pid) ?? 0) > 1);
  const burn =
    'const end = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < end);';
  await promisify(execFile)(process.execPath, ['-e', burn]);
  assert.ok((processorSeconds([process.pid]) ?? 0) - own >= 0.2);
});
