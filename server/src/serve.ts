/** `countersign serve`: one node and its listeners, or a process for each of several workers. */

import cluster from 'node:cluster';
import type { Config } from './config.ts';
import { systemRandomness } from './credentials/random.ts';
import { openData } from './database.ts';
import { checkListenAddress } from './http/listen-address.ts';
import { newLog } from './observe/log.ts';
import { systemClock } from './system-clock.ts';

/** Runs until a signal asks it to stop. Resolves to the exit code; rejects when it cannot start. */
export function serve(config: Config): Promise<number> {
  const tls = config.tlsKey !== undefined;
  for (const { host } of [config.listen, config.adminListen]) {
    const problem = checkListenAddress({ host, tls, trustedProxies: config.trustedProxies });
    if (problem !== undefined) return Promise.reject(new Error(problem));
  }
  return config.workers > 1 && cluster.isPrimary ? superviseWorkers(config) : serveNode(config);
}

async function serveNode(config: Config): Promise<number> {
  const clock = systemClock;
  const randomness = systemRandomness();
  const log = newLog(config.logLevel);
  const data = await openData(config, {
    clock,
    randomness,
    actor: 'system:serve',
    tell: (message) => log.warn({ cause: message }, 'not deciding yet'),
  });
  if (data.newMasterKeyFile !== undefined) {
    log.warn(
      { file: data.newMasterKeyFile },
      'a master key was made: keep a copy apart from backups of the data; without it no secret and no token can be checked',
    );
  }
  const stopAsked = signalled();
  // Only now, while the writer thread loads what it needs; and a supervisor of workers never does.
  const { runNode } = await import('./run-node.ts');
  return runNode({ config, data, clock, randomness, log }, stopAsked);
}

/** The signal that asks the process to stop. More of them change nothing: one often comes both from the terminal and from a parent. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, resolve);
  });
}

/** Starts the workers, replaces one that dies, and stops them all together. Resolves once the last has ended. */
function superviseWorkers(config: Config): Promise<number> {
  const log = newLog(config.logLevel);
  const alive = new Set<ReturnType<typeof cluster.fork>>();
  let stopping = false;
  let exitCode = 0;
  let deaths = 0;
  const fork = (): void => {
    alive.add(cluster.fork());
  };
  const stop = (): void => {
    stopping = true;
    for (const worker of alive) worker.process.kill('SIGTERM');
  };
  const ended = new Promise<number>((resolve) => {
    cluster.on('exit', (worker, code) => {
      alive.delete(worker);
      if (!stopping) {
        deaths += 1;
        log.error({ worker: worker.process.pid, code }, 'a worker has ended');
        // One that cannot even start would be started for ever.
        if (code === CANNOT_START || deaths > DEATHS_MAX) {
          exitCode = 1;
          stop();
        } else fork();
      }
      if (alive.size === 0) resolve(exitCode);
    });
  });
  void signalled().then(stop);
  for (let count = 0; count < config.workers; count += 1) fork();
  return ended;
}

/** Exit code of a process that could not start (see `main.ts`). */
const CANNOT_START = 1;
/** Workers that may die over the life of a server before it gives up, so that a fault that comes back is seen. */
const DEATHS_MAX = 100;
