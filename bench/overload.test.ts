import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { growthIn, type Sample } from './growth.ts';

const SAMPLES = 90;

function samples(of: (n: number) => Partial<Sample>): readonly Sample[] {
  return Array.from({ length: SAMPLES }, (_, n) => ({
    ...{ atSeconds: n, mib: 150 + 20 * Math.sin(n), descriptors: 60 },
    ...of(n),
  }));
}

test('what goes up and down has not grown; what leaks is found out, be it memory or descriptors', () => {
  assert.deepEqual(growthIn(samples(() => ({}))), []);
  // The way up at the beginning is no leak.
  assert.deepEqual(growthIn(samples((n) => ({ mib: Math.min(150, 100 + 5 * n) }))), []);
  assert.deepEqual(growthIn(samples((n) => ({ mib: 150 + n }))), ['memory grows']);
  assert.deepEqual(growthIn(samples((n) => ({ descriptors: 60 + n }))), ['descriptors grow']);
});

type Report = {
  readonly fitting: { readonly granted: number };
  readonly overloads: readonly {
    readonly few: readonly number[];
    readonly crowd: {
      readonly good: number;
      readonly withoutRetryAfter: number;
      readonly other: object;
      readonly broken: number;
    };
    readonly suspensionsMs: readonly number[];
  }[];
};

test('under more callers than fit every answer is a grant or says when to come back, and suspensions get their receipts', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-overload-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const json = join(folder, 'overload.json');
  const tiny = ['--seconds', '4', '--callers', '1500', '--suspensions', '3', '--json', json];
  const script = join(import.meta.dirname, 'overload.ts');
  // How much is granted depends on what else this machine does: the exit code is for quiet ones.
  const said = await new Promise<string>((resolve) => {
    execFile(process.execPath, [script, ...tiny], (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    );
  });
  assert.match(
    said,
    /1500 callers that wait when told to\n {2}\d+ grants\/s, \d\.\d\d of what 64 get .*, \d\.\d\d of what 300 get/,
  );
  const { fitting, overloads } = JSON.parse(readFileSync(json, 'utf8')) as Report;
  assert.ok(fitting.granted > 0);
  assert.equal(overloads.length, 2);
  for (const { few, crowd, suspensionsMs } of overloads) {
    assert.equal(few.length, 2);
    assert.ok(Math.min(...few) > 0, said);
    assert.ok(crowd.good > 0, said);
    assert.deepEqual([crowd.withoutRetryAfter, crowd.other, crowd.broken], [0, {}, 0], said);
    assert.ok(suspensionsMs.length > 0, said);
  }
});
