/** A child process of a test: started, awaited until it says that it is up, and ended before the test is. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
const LINES_KEPT_MAX = 200;

export type Running = {
  readonly child: ChildProcess;
  /** Both outputs, a line each, oldest first. */
  readonly lines: readonly string[];
  /** The first match of `pattern` in the outputs so far or to come. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Asks it to end, and resolves to its exit code. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
};

/** Starts `node ...args`, or another program. It inherits no setting of ours from the environment. */
export function start(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly program?: string;
  },
): Running {
  const { PATH = '' } = process.env;
  const child = spawn(options.program ?? process.execPath, args, {
    cwd: options.cwd,
    env: { PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT_MAX) lines.shift();
      for (const look of waiting) look();
    });
  }

  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
        if (found != null) finish(() => resolve(found));
      };
      const fail = (why: string) => () =>
        finish(() => reject(new Error(`${why} without saying ${pattern}:\n${lines.join('\n')}`)));
      const late = setTimeout(fail(`${START_MS_MAX} ms went by`), START_MS_MAX);
      const finish = (settle: () => void): void => {
        clearTimeout(late);
        waiting.delete(look);
        settle();
      };
      waiting.add(look);
      void ended.then(fail('it ended'));
      look();
    });

  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    const [code] = await ended;
    clearTimeout(late);
    return code;
  };
  return { child, lines, says, stop };
}
