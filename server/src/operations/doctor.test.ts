import assert from 'node:assert/strict';
import test from 'node:test';
import {
  diagnose,
  judgeCertificate,
  judgeClock,
  judgeDirectory,
  judgeDuties,
  judgeFreeSpace,
  judgeNodes,
  judgeReplication,
  judgeRuntime,
  judgeWebhooks,
} from './doctor.ts';
import type { ListedNode } from './list-nodes.ts';

const NOW_MS = Date.UTC(2027, 0, 15);
const DAY_MS = 86_400_000;

const node: ListedNode = {
  node: 'node-1-abc',
  state: 'alive',
  behind: 0,
  listen: '127.0.0.1:8080',
  version: '0.1.0',
  process: '42',
  leaseMs: 30_000,
  startedAtMs: NOW_MS,
  renewedAtMs: NOW_MS,
};

test('a probe that fails to look is a failed check, and the others are still run', async () => {
  const checks = await diagnose([
    { name: 'one', look: () => Promise.reject(new Error('the disk is gone')) },
    { name: 'two', look: () => ({ ok: true, detail: 'well' }) },
  ]);
  assert.deepEqual(checks, [
    { name: 'one', ok: false, detail: 'the disk is gone' },
    { name: 'two', ok: true, detail: 'well' },
  ]);
});

test('what is well is told from what is not, up to the edge, and each failure says how to mend it', () => {
  const certificate = { validFromMs: NOW_MS - DAY_MS, validToMs: NOW_MS + 15 * DAY_MS };
  const well = [
    judgeRuntime('v24.0.0'),
    judgeDirectory('/d', 0o40700),
    judgeFreeSpace(512 * 1024 * 1024),
    judgeNodes([]),
    judgeNodes([node, { ...node, behind: 3 }]),
    judgeClock(NOW_MS, undefined),
    judgeClock(NOW_MS, NOW_MS + 2_000),
    judgeCertificate(certificate, NOW_MS),
  ];
  for (const finding of well) assert.equal(finding.ok, true, finding.detail);
  const ill = [
    judgeRuntime('v22.11.0'),
    judgeDirectory('/d', 0o40710),
    judgeDirectory('/d', 0o40704),
    judgeFreeSpace(512 * 1024 * 1024 - 1),
    judgeNodes([node, { ...node, state: 'dead' }]),
    judgeNodes([{ ...node, state: 'silent' }]),
    judgeClock(NOW_MS, NOW_MS + 2_001),
    judgeCertificate({ ...certificate, validToMs: NOW_MS + 14 * DAY_MS }, NOW_MS),
    judgeCertificate({ ...certificate, validToMs: NOW_MS - 1 }, NOW_MS),
    judgeCertificate({ ...certificate, validFromMs: NOW_MS + 1 }, NOW_MS),
  ];
  for (const { ok, detail, mend } of ill) {
    assert.equal(ok, false, detail);
    assert.ok((mend ?? '').length > 10, detail);
  }
});

test('a duty that fails, or is not done though a node is running, is named; without a node nothing is expected', () => {
  const duty = { duty: 'sweep', everyMs: 1_000, holder: 'node-1-abc', startedAtMs: NOW_MS };
  const up = { ...node, startedAtMs: NOW_MS - DAY_MS };
  const minutes = (count: number): number => NOW_MS - count * 60_000;
  const wellAt = (endedAtMs: number) => ({ ...duty, endedAtMs, failures: 0 });
  for (const [duties, nodes] of [
    [[wellAt(minutes(9))], [up]],
    [[wellAt(minutes(60))], []],
    [[wellAt(minutes(60))], [{ ...up, state: 'dead' as const }]],
    [[wellAt(minutes(60))], [node]],
    [[{ ...wellAt(minutes(60)), everyMs: 3_600_000 }], [up]],
    [[{ ...duty, failures: 0 }], [node]],
    [[], [up]],
  ] as const) {
    assert.equal(judgeDuties(duties, nodes, NOW_MS).ok, true);
  }
  assert.match(judgeDuties([wellAt(minutes(11))], [up], NOW_MS).detail, /sweep .* 660 s/);
  assert.equal(judgeDuties([{ ...duty, failures: 0 }], [up], NOW_MS).ok, false);
  const failing = { ...wellAt(NOW_MS), failures: 3, problem: 'the disk is full' };
  assert.match(judgeDuties([failing], [node], NOW_MS).detail, /sweep failed 3 .* disk is full/);
});

test('an asynchronous standby, and a promotion whose leases still run, are named with what they cost', () => {
  const place = '77/00000002';
  const calm = { place, sinceMs: 0, isSynchronous: true, standbys: 1 };
  assert.deepEqual(judgeReplication(calm), {
    ok: true,
    detail: 'commits wait for a standby; timeline 00000002 since 1970-01-01T00:00:00.000Z',
  });
  assert.equal(judgeReplication({ ...calm, isSynchronous: false, standbys: 0 }).ok, true);
  const asynchronous = judgeReplication({ ...calm, isSynchronous: false });
  assert.equal(asynchronous.ok, false);
  assert.match(asynchronous.detail, /standby asynchronous: promises 1 to 3 end at a failover/);
  assert.match(asynchronous.mend ?? '', /synchronous_standby_names/);
  const promoted = judgeReplication({ ...calm, waitsMs: 31_300 });
  assert.equal(promoted.ok, false);
  assert.match(
    promoted.detail,
    /promoted or restored \(timeline 00000002 .* nothing is decided for 32 s/,
  );
});

test('a webhook that is disabled, or has not heard for longer than five minutes, is named with why', () => {
  const webhook = { webhookId: 'webhook_x', disabled: false, behind: 9, behindSeconds: 300 };
  assert.equal(judgeWebhooks([]).ok, true);
  assert.equal(judgeWebhooks([webhook]).ok, true);
  const late = judgeWebhooks([{ ...webhook, behindSeconds: 301, problem: 'HTTP 500' }]);
  assert.equal(late.ok, false);
  assert.match(late.detail, /webhook_x is 9 lines and 301 s behind \(HTTP 500\)/);
  assert.match(judgeWebhooks([{ ...webhook, disabled: true }]).detail, /webhook_x is disabled/);
});

test('a node that is behind is named with how far', () => {
  assert.equal(judgeNodes([{ ...node, behind: 3 }]).detail, 'node-1-abc alive, 3 changes behind');
});
