/** `npm run bench:publish`: the one unattended run behind docs/performance.md; everything it prints and measures is left in a folder. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `npm run bench:publish -- [--out DIR] [--quick]

Runs the bench with everything and the bench of sizes, one after the other, and leaves in DIR (default bench-results):
bench.txt, bench.json, performance.svg, size.txt, size.json. Exit code 1 when one of them failed; the others run all the same.
What is published: the tables in docs/performance.md, the plot as docs/performance.svg, shown there. bench/guard.test.ts reads the page.
Some three quarters of an hour; --quick: the same with tiny settings, to see that it works.
`;

const FULL = {
  bench: ['--all', '--rounds', '7', '--seconds', '3'],
  size: ['--clients', '100,10000,1000000', '--journal-rows', '20000000', '--rounds', '5'],
};
const QUICK = {
  bench: ['--all', '--rounds', '1', '--seconds', '1'],
  size: [
    ...['--clients', '100,1000', '--journal-rows', '1000', '--revoked', '100'],
    ...['--rounds', '1', '--seconds', '1'],
  ],
};

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'bench-results' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** Runs one bench; what it prints is shown and kept. */
async function run(name: 'run' | 'size', args: readonly string[], kept: string): Promise<boolean> {
  const script = join(import.meta.dirname, `${name}.ts`);
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const file = createWriteStream(kept);
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.pipe(file, { end: false });
    from.pipe(to, { end: false });
  }
  await once(child, 'close');
  file.end();
  return child.exitCode === 0;
}

if (values.help) process.stdout.write(HELP);
else {
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  const at = (name: string): string => join(out, name);
  const { bench, size } = values.quick ? QUICK : FULL;
  const drawn = ['--json', at('bench.json'), '--plot', at('performance.svg')];
  const passed = [
    await run('run', [...bench, ...drawn], at('bench.txt')),
    await run('size', [...size, '--json', at('size.json')], at('size.txt')),
  ];
  if (passed.includes(false)) process.exitCode = 1;
}
