import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { auditHash } from '../ports/audit-chain.ts';
import { type CommandLine, commandLine } from '../testing/command-line.ts';
import { newDataDirectory } from '../testing/data.ts';

type Verdict = { readonly code: number | null; readonly stderr: string; readonly stdout: string };
type World = {
  readonly cli: CommandLine;
  /** The export's records, and a verdict on other ones in their place. */
  readonly records: readonly string[];
  readonly checkpoint: string;
  readonly publicKey: string;
  verify(records: readonly string[], ...options: readonly string[]): Promise<Verdict>;
};

/** A trail with some programs, exported; it is verified by a command line that has no store. */
async function newWorld(): Promise<World> {
  const data = newDataDirectory();
  const cli = commandLine(data);
  for (let count = 0; count < 4; count += 1)
    await cli.json('program', 'create', `Program ${count}`);
  const checkpoint = join(data, 'checkpoint.json');
  const { stdout } = await cli(['audit', 'checkpoint', '--json']);
  writeFileSync(checkpoint, stdout);
  const publicKey = String((JSON.parse(stdout) as { public_key: string }).public_key);
  await cli.json('program', 'create', 'Later');
  const file = join(data, 'audit.jsonl');
  await cli.json('audit', 'export', '--out', file);
  const records = readFileSync(file, 'utf8').trimEnd().split('\n');
  const nowhere = join(data, 'nowhere');
  const bare = commandLine(nowhere);
  const changed = join(data, 'changed.jsonl');
  return {
    cli,
    records,
    checkpoint,
    publicKey,
    verify: async (lines, ...options) => {
      writeFileSync(changed, `${lines.join('\n')}\n`);
      const verdict = await bare(['audit', 'verify', changed, ...options]);
      assert.equal(existsSync(nowhere), false, 'it needs no store');
      return verdict;
    },
  };
}

/** No test changes it: what is tampered with is a copy. */
const shared = newWorld();
async function withExport(body: (world: World) => Promise<void>): Promise<void> {
  await body(await shared);
}

const isLine = (record: string): boolean => record.startsWith('{"sequence"');
const isCheckpoint = (record: string): boolean => record.startsWith('{"checkpoint"');
const lineAt = (records: readonly string[], sequence: number): number =>
  records.findIndex((record) => record.startsWith(`{"sequence":${sequence},`));

function assertBrokenAt({ code, stderr }: Verdict, sequence: number, problem: RegExp): void {
  assert.equal(code, 1, 'tampering was not seen');
  assert.match(stderr, new RegExp(`broken at line ${sequence}: `));
  assert.match(stderr, problem);
}

/** Edits a line and computes every hash after it anew; checkpoints stay as they are. */
function forged(records: readonly string[], sequence: number): readonly string[] {
  let previous = '';
  return records.map((record) => {
    if (!isLine(record)) return record;
    const link = JSON.parse(record) as { sequence: number; hash: string; line: string };
    const line = link.sequence === sequence ? link.line.replace('ada', 'eve') : link.line;
    previous = auditHash(previous, link.sequence, line);
    return JSON.stringify({ sequence: link.sequence, hash: previous, line });
  });
}

test('an export is verified without the store, is signed to its last line, and says that it was made', () =>
  withExport(async ({ records, verify, checkpoint, publicKey }) => {
    const lines = records.filter(isLine);
    const last = JSON.parse(lines.at(-1) ?? '') as { sequence: number; line: string };
    assert.equal(last.sequence, lines.length);
    assert.equal((JSON.parse(last.line) as { action: string }).action, 'audit.export');
    assert.equal(records.filter(isCheckpoint).length, 2);
    const all = `lines 1 to ${lines.length}, .* signed for up to line ${lines.length}`;
    const plain = await verify(records);
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stdout, new RegExp(all));
    assert.match(plain.stdout, /the key that the export itself names/);
    const kept = await verify(records, '--checkpoint', checkpoint, '--public-key', publicKey);
    assert.equal(kept.code, 0, kept.stderr);
    assert.match(kept.stdout, new RegExp(all));
    assert.doesNotMatch(kept.stdout, /names/);
  }));

test('in an export an edit, a gap, a reordering and a cut tail are found at their first line', () =>
  withExport(async ({ records, verify, checkpoint }) => {
    const count = records.filter(isLine).length;
    const at = lineAt(records, 3);
    for (let bad = 1; bad <= count; bad += 1) {
      const index = lineAt(records, bad);
      const edited = records.with(
        index,
        (records[index] ?? '')
          .replace('cli:ada', 'cli:eve')
          .replace('system', 'sistem')
          .replace('atMs', 'atms'),
      );
      assertBrokenAt(await verify(edited), bad, /altered or moved/);
      const problem = bad === count ? /cut off/ : /missing/;
      assertBrokenAt(await verify(records.toSpliced(index, 1)), bad, problem);
    }
    const [third, fourth] = [records[at] ?? '', records[at + 1] ?? ''];
    assertBrokenAt(await verify(records.with(at, fourth).with(at + 1, third)), 3, /missing/);
    assertBrokenAt(await verify(records.with(at, 'so it goes')), 3, /something else/);
    const cut = records.slice(0, at).filter((record) => !isCheckpoint(record));
    assert.equal((await verify(cut)).code, 0, 'alone it cannot be told');
    assertBrokenAt(await verify(cut, '--checkpoint', checkpoint), 3, /cut off/);
  }));

test('lines that were computed anew are found by the checkpoint after them', () =>
  withExport(async ({ records, verify, checkpoint }) => {
    const signed = JSON.parse(readFileSync(checkpoint, 'utf8')) as { sequence: number };
    const rewritten = forged(records, 3);
    assertBrokenAt(
      await verify(rewritten),
      signed.sequence,
      /one of the lines 1 to \d+ was rewritten/,
    );
    const bare = rewritten.filter((record) => !isCheckpoint(record));
    assert.equal((await verify(bare)).code, 0, 'alone it cannot be told');
    const found = await verify(bare, '--checkpoint', checkpoint);
    assertBrokenAt(found, signed.sequence, /the given checkpoint/);
    const later = forged(records, signed.sequence + 1);
    assertBrokenAt(await verify(later), records.filter(isLine).length, /rewritten/);
  }));

test('a checkpoint that was altered, or signed with another key than the given one, vouches for nothing', () =>
  withExport(async ({ records, verify, checkpoint, publicKey }) => {
    const foreign = (await newWorld()).records;
    const { code, stderr } = await verify(foreign, '--public-key', publicKey);
    assert.equal(code, 1);
    assert.match(stderr, /was signed with the key [0-9a-f]{16}, which is not the given one/);
    const altered = records.map((record) => record.replace('"at":"2', '"at":"3'));
    const signed = JSON.parse(readFileSync(checkpoint, 'utf8')) as { sequence: number };
    assertBrokenAt(await verify(altered), signed.sequence, /its checkpoint \d+ was altered/);
  }));

test('an export begins where it is asked to, is fit for its owner alone, and replaces no file', () =>
  withExport(async ({ cli, verify, checkpoint }) => {
    const file = join(newDataDirectory(), 'part.jsonl');
    const done = await cli.json('audit', 'export', '--after', '4', '--out', file);
    assert.equal(done['after'], 4);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const records = readFileSync(file, 'utf8').trimEnd().split('\n');
    const verdict = await verify(records, '--checkpoint', checkpoint);
    assert.equal(verdict.code, 0, verdict.stderr);
    assert.match(verdict.stdout, /lines 5 to /);
    const taken = await cli(['audit', 'export', '--out', file]);
    assert.deepEqual([taken.code, readFileSync(file, 'utf8')], [1, `${records.join('\n')}\n`]);
    const beyond = await cli(['audit', 'export', '--after', '4000']);
    assert.equal(beyond.code, 1);
    assert.match(beyond.stderr, /the last line of the trail is/);
    const printed = await cli(['audit', 'export']);
    assert.equal((await verify(printed.stdout.trimEnd().split('\n'))).code, 0);
  }));

test('what is no export is refused as that, and a wrong key as wrong usage', () =>
  withExport(async ({ verify, records, checkpoint }) => {
    const none = await verify(['{"a":1}']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no audit export/);
    assert.equal((await verify(records, '--public-key', 'short')).code, 2);
    const nothing = `${checkpoint}.nothing`;
    writeFileSync(nothing, '{}');
    const empty = await verify(records, '--checkpoint', nothing);
    assert.match(empty.stderr, /there is no checkpoint in it/);
  }));

test('the store is verified against checkpoints that were kept elsewhere too', () =>
  withExport(async ({ cli, checkpoint, publicKey }) => {
    const verdict = await cli.json(
      'audit',
      'verify',
      '--checkpoint',
      checkpoint,
      '--public-key',
      publicKey,
    );
    assert.equal(verdict['intact'], true);
    const other = await newWorld();
    const foreign = await cli(['audit', 'verify', '--checkpoint', other.checkpoint]);
    assert.equal(foreign.code, 1);
  }));
