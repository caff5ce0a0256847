/** `countersign serve`: one node and its listeners, or a process for each of several workers. */

import cluster from 'node:cluster';
import { withProblems } from './admin/problem.ts';
import { type Node, newNode } from './authority.ts';
import type { Config } from './config.ts';
import { systemRandomness } from './credentials/random.ts';
import { openData } from './database.ts';
import { DUTIES } from './duties/duties.ts';
import { startDuties } from './duties/run-duties.ts';
import { checkListenAddress } from './http/listen-address.ts';
import { buildListener, type Listener, type ListenerSettings } from './http/listener.ts';
import { newSignerKeys } from './http/signer-keys.ts';
import { newLog } from './observe/log.ts';
import { diagnose as diagnoseAll } from './operations/doctor.ts';
import type { Log } from './ports/log.ts';
import { type EnvironmentRecord, OPERATORS } from './ports/model.ts';
import { runningProbes } from './probes.ts';
import { adminRoutes, publicRoutes } from './routes.ts';
import { systemClock } from './system-clock.ts';

/** Lists of scopes and addresses are longer than a token request. */
const ADMIN_BODY_BYTES_MAX = 64 * 1024;

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
  const node = await newNode({ config, data, clock, randomness, log });
  await node.start();
  const environments = await data.store.directory.environments();
  const githubKeys =
    config.githubKeys === undefined ? undefined : newSignerKeys(config.githubKeys, clock);
  const settings = {
    trustedProxies: config.trustedProxies,
    limits: { arrivalMsMax: config.requestTimeoutMs },
    ...(config.tlsCertificate === undefined || config.tlsKey === undefined
      ? {}
      : { tls: { certificateFile: config.tlsCertificate, keyFile: config.tlsKey } }),
    refusing: node.authority.refusing,
    log,
    clock,
    randomness,
  };
  const listeners: Listener[] = [];
  const duties = startDuties({
    duties: DUTIES,
    roster: data.store.duties,
    node: node.node,
    contextOf: node.contextOf,
    mayRun: () => node.authority.follower.mayDecide(),
    report: log,
  });
  try {
    const open = async (
      more: Pick<ListenerSettings, 'routes'> & Partial<ListenerSettings>,
      at: Config['listen'] & { option: string },
    ): Promise<string> => {
      const listener = await buildListener({ ...settings, ...more });
      const { origin } = await listener.listen(at);
      listeners.push(listener);
      return origin;
    };
    const options = { contextOf: node.contextOf, gateways: config.gateways, githubKeys };
    const routes = publicRoutes(node.authority, environments, options);
    const origin = await open({ routes }, { ...config.listen, option: '--listen' });
    const admin = await open(adminListener(config, node, { environments, settings }), {
      ...config.adminListen,
      option: '--admin-listen',
    });
    announce(log, { node: node.node, listen: origin, admin, environments });
    log.info({ signal: await stopAsked }, 'stopping');
  } finally {
    await Promise.all([duties.stop(), ...listeners.map((listener) => listener.close())]);
    await node.stop();
  }
  log.info({ node: node.node }, 'stopped');
  return 0;
}

/** A listener of its own: what fills the public one holds up no operator. */
function adminListener(
  config: Config,
  { authority, contextOf }: Node,
  of: {
    readonly environments: readonly EnvironmentRecord[];
    readonly settings: Pick<ListenerSettings, 'limits'>;
  },
) {
  const environment = of.environments.find(({ name }) => name === OPERATORS.environment);
  if (environment === undefined) throw new Error('the environment of operators is missing');
  const diagnose = () => diagnoseAll(runningProbes(config, contextOf('system:doctor')));
  return {
    routes: adminRoutes({ authority, contextOf, diagnose }, environment),
    refusing: withProblems(authority.refusing),
    limits: { ...of.settings.limits, bodyBytesMax: ADMIN_BODY_BYTES_MAX },
  };
}

function announce(
  log: Log,
  at: {
    node: string;
    listen: string;
    admin: string;
    environments: readonly { name: string; issuer: string }[];
  },
): void {
  const { environments, ...fields } = at;
  const issuers = Object.fromEntries(environments.map(({ name, issuer }) => [name, issuer]));
  log.info({ ...fields, issuers }, 'ready');
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
