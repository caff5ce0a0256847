import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bests, regressions, sample } from './guard.ts';
import { choosePlacement } from './machine.ts';
import { publishedRatio } from './published.ts';
import type { Runner } from './rounds.ts';
import { startAuthority, startBareServer } from './servers.ts';
import { bareRunners, QUESTIONS, runnersOf } from './subjects.ts';

const ROUNDS_MAX = 5;
const PRELOAD = join(import.meta.dirname, 'testing', 'slow-requests.ts');
const placement = choosePlacement();

/** Countersign on a new data directory beside the bare server. */
async function startBoth(t: TestContext, env: Record<string, string>): Promise<readonly Runner[]> {
  const data = mkdtempSync(join(tmpdir(), 'countersign-guard-'));
  t.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 10 }));
  const place = placement.onServerCore;
  const authority = await startAuthority(resolve(import.meta.dirname, '..'), { data, place, env });
  t.after(authority.stop);
  const { token, verify } = authority.targets;
  const bare = await startBareServer({ form: token, get: verify }, place);
  t.after(bare.stop);
  return [...bareRunners(bare), ...runnersOf({ ...authority, pids: [authority.pid] })];
}

/** Loads until `isDecided`, as often as a busy machine may need. */
async function complaintsOf(
  t: TestContext,
  env: Record<string, string>,
  isDecided: (complaints: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const runners = await startBoth(t, env);
  const bests: Bests = new Map();
  let complaints: readonly string[] = [];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await sample(runners, bests, placement);
    complaints = regressions(runners, bests);
    if (isDecided(complaints)) break;
  }
  t.diagnostic(JSON.stringify([...bests]));
  return complaints;
}

test('no endpoint has fallen below two fifths of its published ratio to a bare server', async (t) => {
  assert.deepEqual(await complaintsOf(t, {}, ({ length }) => length === 0), []);
});

test('negative control: a server whose requests cost a fifth of a millisecond more is found out', async (t) => {
  const env = { NODE_OPTIONS: `--import=${PRELOAD}` };
  const slow = await complaintsOf(t, env, ({ length }) => length === QUESTIONS.length);
  t.diagnostic(slow.join('; '));
  for (const { name } of QUESTIONS) {
    const isNoticed = slow.some((complaint) => complaint.startsWith(name));
    assert.ok(isNoticed, `${name} became slow and nobody noticed`);
  }
});

test('a ratio that the page does not publish is not taken for a fast one', () => {
  assert.ok(publishedRatio('POST /token') > 0);
  assert.throws(() => publishedRatio('GET /nothing'), /publishes no ratio/);
});
