/** One process of the demo: started, awaited until it is healthy, watched, and stopped within a bound. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const HEALTHY_MS_MAX = 60_000;
const HEALTH_EVERY_MS = 50;
const HEALTH_TIMEOUT_MS = 2_000;
/** Longer than either child takes to drain. */
const STOP_MS_MAX = 15_000;

export type Child = {
  readonly name: string;
  /** Resolves when the process has ended, to how. */
  readonly ended: Promise<string>;
  /** Resolves once `url` answers 200; rejects when the process ends before, or takes too long. */
  readonly healthy: (url: string) => Promise<void>;
  /** Asks it to end, and resolves when it has; false: it had to be killed. */
  readonly stop: () => Promise<boolean>;
};

/** Starts `node ...args`. What it has to say to people (its standard error) is shown under its name. */
export function startChild(settings: {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}): Child {
  const { name, args, env } = settings;
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  createInterface({ input: child.stderr }).on('line', (line) => console.error(`[${name}] ${line}`));
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(`it does not start: ${message}`));
    // `close` and not `exit`: by then its last words have been shown.
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });

  const healthy = async (url: string): Promise<void> => {
    const deadline = performance.now() + HEALTHY_MS_MAX;
    const gone = ended.then((how) => {
      throw new Error(`The ${name} has ended (${how}); its own words stand above.`);
    });
    while (!(await Promise.race([gone, answers(url)]))) {
      if (performance.now() > deadline) {
        throw new Error(`The ${name} is not ready after ${HEALTHY_MS_MAX / 1000} s: ${url}`);
      }
      await sleep(HEALTH_EVERY_MS);
    }
  };

  const stop = async (): Promise<boolean> => {
    let killed = false;
    child.kill('SIGTERM');
    const late = setTimeout(() => {
      killed = child.kill('SIGKILL');
    }, STOP_MS_MAX);
    await ended;
    clearTimeout(late);
    return !killed;
  };
  return { name, ended, healthy, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}
