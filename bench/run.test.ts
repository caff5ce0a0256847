import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  belowFloor,
  figuresOf,
  isBlurred,
  journalComplaint,
  type Measured,
  processorRatio,
  type Series,
  type Subject,
  spreadOf,
} from './figures.ts';
import { coresIn } from './machine.ts';
import { readOptions } from './options.ts';
import { tableOf } from './table.ts';
import { readWrkReport } from './wrk-report.ts';

const REPORT = `Running 2s test @ http://127.0.0.1:40001/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.33ms    3.70ms  51.41ms   95.61%
    Req/Sec    46.43k     9.73k   58.06k    70.00%
  Latency Distribution
     50%  554.00us
     75%  700.00us
     90%    1.25s 
     99%   20.36ms
  92352 requests in 2.50s, 20.08MB read
Requests/sec:  46174.59
Transfer/sec:     10.04MB
`;

const round = (requestsPerSecond: number): Measured => ({
  requests: requestsPerSecond,
  requestsPerSecond,
  p50Ms: 1,
  p99Ms: 2,
  processorUs: undefined,
});

const series = (subject: Omit<Subject, 'beside'>, rates: readonly number[]): Series => ({
  subject: { ...subject, beside: 'bare' },
  rounds: rates.map(round),
});

describe('what wrk prints', () => {
  test('is read in one unit each, the rate from what was counted', () => {
    assert.deepEqual(readWrkReport(REPORT), {
      requests: 92_352,
      seconds: 2.5,
      requestsPerSecond: 36_940.8,
      p50Ms: 0.554,
      p99Ms: 20.36,
      badAnswers: 0,
      socketErrors: 0,
    });
  });

  test('tells bad answers and socket errors', () => {
    const bad = `${REPORT}  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 7\n`;
    const { badAnswers, socketErrors } = readWrkReport(bad);
    assert.deepEqual({ badAnswers, socketErrors }, { badAnswers: 7, socketErrors: 10 });
  });

  test('is read with the space that wrk leaves behind a figure in seconds', () => {
    assert.equal(readWrkReport(REPORT.replace('99%   20.36ms', '99%    1.61s ')).p99Ms, 1_610);
  });

  test('is no result when a figure is missing', () => {
    assert.throws(() => readWrkReport(REPORT.replace('99%', '98%')), /something else/);
    assert.throws(() => readWrkReport('unable to connect'), /something else/);
  });
});

describe('medians and ratios', () => {
  test('the median of an even number of rounds lies between the middle two', () => {
    assert.deepEqual(spreadOf([9, 1, 4, 2]), { median: 3, min: 1, max: 9 });
    assert.deepEqual(spreadOf([5, 1, 2]), { median: 2, min: 1, max: 5 });
    assert.throws(() => spreadOf([]), /no measurement/);
  });

  test('each round is compared with the bare server of the same round', () => {
    const bare = series({ name: 'bare' }, [100, 50, 10]);
    const [figures] = figuresOf([series({ name: 'half' }, [50, 20, 6]), bare]);
    assert.deepEqual(figures?.ratio, { median: 0.5, min: 0.4, max: 0.6 });
    assert.deepEqual(figures?.requestsPerSecond, { median: 20, min: 6, max: 50 });
    assert.throws(() => figuresOf([bare, series({ name: 'x' }, [1, 1, 1, 1])]), /without the bare/);
    assert.throws(() => figuresOf([series({ name: 'alone' }, [1])]), /without the bare/);
  });

  test('processor time is compared within a round as well, where the system tells it', () => {
    const timed = (times: readonly (number | undefined)[]): Series => ({
      subject: { name: 'timed', beside: 'timed' },
      rounds: times.map((processorUs) => ({ ...round(1), processorUs })),
    });
    const ratio = processorRatio(timed([10, 20, 40]), timed([20, 30, undefined]));
    assert.deepEqual(ratio, { median: 1.75, min: 1.5, max: 2 });
    assert.equal(processorRatio(timed([undefined]), timed([1])), undefined);
  });

  test('a median below its floor fails, one at its floor passes, one without a floor never fails', () => {
    const bare = series({ name: 'bare' }, [100, 100, 100]);
    const all = [
      series({ name: 'slow', floor: 0.5 }, [90, 49, 49]),
      series({ name: 'fit', floor: 0.5 }, [50, 50, 10]),
      series({ name: 'free' }, [1, 1, 1]),
    ];
    assert.deepEqual(belowFloor(figuresOf([bare, ...all])), ['slow: 0.490 of bare, below 0.5']);
  });
});

test('a bare server whose best round is far above its median ran beside other work', () => {
  assert.equal(isBlurred(series({ name: 'bare' }, [40, 100, 114])), false);
  assert.equal(isBlurred(series({ name: 'bare' }, [40, 100, 116])), true);
});

test('a token that was answered and is not on record fails the bench, and so does one too many', () => {
  const counted = { answers: 1_000, uncountedMax: 32 };
  assert.equal(journalComplaint({ ...counted, rows: 1_000 }), undefined);
  assert.equal(journalComplaint({ ...counted, rows: 1_032 }), undefined);
  assert.match(journalComplaint({ ...counted, rows: 999 }) ?? '', /999 tokens on record/);
  assert.match(journalComplaint({ ...counted, rows: 1_033 }) ?? '', /1033 tokens on record/);
});

test('the table aligns its columns and shows medians with their range', () => {
  const bare = series({ name: 'bare' }, [80_000]);
  const token = {
    subject: { name: 'POST /token', beside: 'bare', floor: 0.35, target: 0.5 },
    rounds: [{ ...round(40_000), processorUs: 24.56 }],
  };
  assert.equal(
    tableOf(figuresOf([bare, token])),
    [
      '                         requests/s           of bare  floor  target  p50 ms  p99 ms            CPU µs',
      'bare         80,000 (80,000–80,000)  1.00 (1.00–1.00)                   1.00    2.00',
      'POST /token  40,000 (40,000–40,000)  0.50 (0.50–0.50)   0.35    0.50    1.00    2.00  24.6 (24.6–24.6)',
    ].join('\n'),
  );
});

test('lists of cores are read as the system writes them', () => {
  assert.deepEqual(coresIn('0-2,5'), [0, 1, 2, 5]);
  assert.deepEqual(coresIn('7'), [7]);
  assert.deepEqual(coresIn(''), []);
});

describe('the command line', () => {
  test('has defaults, and takes what it is given', () => {
    assert.deepEqual(readOptions(['--rounds', '7', '--json', 'out.json']), {
      isHelpWanted: false,
      rounds: 7,
      seconds: 3,
      peers: false,
      variants: false,
      rates: false,
      syncs: false,
      jsonFile: 'out.json',
      plotFile: undefined,
      againstDirectory: undefined,
    });
  });

  test('refuses what is no whole number within bounds, and unknown options', () => {
    for (const bad of ['0', '-1', '1.5', '1e1', '', 'many', '101']) {
      assert.throws(() => readOptions([`--rounds=${bad}`]), /whole number from 1 to 100/);
    }
    assert.throws(() => readOptions(['--second', '3']), /Unknown option/);
  });
});
