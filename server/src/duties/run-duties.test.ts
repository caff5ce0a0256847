import assert from 'node:assert/strict';
import test from 'node:test';
import type { Log } from '../ports/log.ts';
import { newDataDirectory } from '../testing/data.ts';
import { asOperator } from '../testing/onboarding.ts';
import type { Duty } from './duty.ts';
import { type DutiesDeps, startDuties } from './run-duties.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Told = Record<string, unknown>;
function listening(): { report: Log; told: Told[] } {
  const told: Told[] = [];
  const take = (fields: Told, message: string): void => {
    told.push({ ...fields, message });
  };
  return { told, report: { info: take, warn: take, error: take } };
}

/** Runs duties on a real store as if on a node, and stops them. */
async function onStore(
  duties: readonly Duty[],
  body: (world: {
    start(node: string, deps?: Partial<DutiesDeps>): ReturnType<typeof startDuties>;
    list: DutiesDeps['roster']['list'];
    told: readonly Told[];
  }) => Promise<void>,
): Promise<void> {
  await asOperator(newDataDirectory(), async (context) => {
    const { report, told } = listening();
    const started: ReturnType<typeof startDuties>[] = [];
    const start = (node: string, deps: Partial<DutiesDeps> = {}) => {
      const running = startDuties({
        duties,
        node,
        roster: context.duties,
        contextOf: (actor) => ({ ...context, actor }),
        mayRun: () => true,
        report,
        ...deps,
      });
      started.push(running);
      return running;
    };
    try {
      await body({ start, list: () => context.duties.list(), told });
    } finally {
      await Promise.all(started.map((running) => running.stop()));
    }
  });
}

test('a duty is done again and again by somebody, never by two nodes at once, as system:NAME', async () => {
  let underWay = 0;
  let runs = 0;
  const duty: Duty = {
    name: 'sweep',
    everyMs: 20,
    run: async ({ actor }) => {
      assert.equal(actor, 'system:sweep');
      underWay += 1;
      assert.equal(underWay, 1);
      await pause(5);
      underWay -= 1;
      runs += 1;
    },
  };
  await onStore([duty], async ({ start, list, told }) => {
    for (const node of ['a', 'b', 'c']) start(node);
    while (runs < 5) await pause(5);
    const [row] = await list();
    assert.equal(row?.failures, 0);
    assert.equal(typeof row?.endedAtMs, 'number');
    assert.deepEqual(told, []);
  });
});

test('a duty that fails is told of, recorded, and left alone for a while; the others go on', async () => {
  let failed = 0;
  let done = 0;
  const duties: readonly Duty[] = [
    {
      name: 'bad',
      everyMs: 20,
      run: () => {
        failed += 1;
        return Promise.reject(new Error('the disk is full'));
      },
    },
    {
      name: 'good',
      everyMs: 20,
      run: () => {
        done += 1;
        return Promise.resolve();
      },
    },
  ];
  await onStore(duties, async ({ start, list, told }) => {
    start('a');
    start('b');
    while (done < 8) await pause(5);
    assert.equal(failed, 1);
    const [bad] = await list();
    assert.equal(bad?.failures, 1);
    assert.equal(bad?.problem, 'the disk is full');
    assert.equal(bad?.endedAtMs, undefined);
    assert.deepEqual(
      told.map(({ duty, cause }) => [duty, cause]),
      [['bad', 'the disk is full']],
    );
  });
});

test('without news from the store nothing is run, and what is not due is not claimed', async () => {
  let hasNews = false;
  let isDue = false;
  let looks = 0;
  let runs = 0;
  const duty: Duty = {
    name: 'sweep',
    everyMs: 10,
    isDue: async () => {
      looks += 1;
      return await Promise.resolve(isDue);
    },
    run: () => {
      runs += 1;
      return Promise.resolve();
    },
  };
  await onStore([duty], async ({ start, list }) => {
    start('a', { mayRun: () => hasNews });
    await pause(60);
    assert.equal(runs, 0);
    assert.deepEqual(await list(), []);
    hasNews = true;
    while (looks < 5) await pause(5);
    // The first turn is taken in any case, so that it is known to be looked after.
    assert.equal(runs, 1);
    isDue = true;
    while (runs < 3) await pause(5);
  });
});

test('stopping waits for what is under way, asks it to end, and lets another node begin anew at once', async () => {
  let begun = 0;
  let ended = 0;
  const duty: Duty = {
    name: 'long',
    everyMs: 10,
    run: async ({ end, clock }) => {
      begun += 1;
      await clock.sleep(60_000, end);
      ended += 1;
    },
  };
  await onStore([duty], async ({ start, list }) => {
    const first = start('a');
    while (begun < 1) await pause(2);
    await first.stop();
    assert.equal(ended, 1);
    assert.equal((await list())[0]?.endedAtMs, undefined);
    start('b');
    while (begun < 2) await pause(2);
    assert.equal((await list())[0]?.holder, 'b');
  });
});
