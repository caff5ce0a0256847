/** One node that decides, and its two listeners, from opened data until it is asked to stop. */

import { withProblems } from './admin/problem.ts';
import { type Node, newNode, type Parts } from './authority.ts';
import type { Config } from './config.ts';
import { DUTIES } from './duties/duties.ts';
import { startDuties } from './duties/run-duties.ts';
import { settleLayouts } from './http/layouts.ts';
import { buildListener, type Listener, type ListenerSettings } from './http/listener.ts';
import { newSignerKeys } from './http/signer-keys.ts';
import { diagnose as diagnoseAll } from './operations/doctor.ts';
import type { Log } from './ports/log.ts';
import { type EnvironmentRecord, OPERATORS } from './ports/model.ts';
import { runningProbes } from './probes.ts';
import { adminRoutes, publicRoutes } from './routes.ts';

/** Lists of scopes and addresses are longer than a token request. */
const ADMIN_BODY_BYTES_MAX = 64 * 1024;

/** Serves until `stopAsked` resolves to the signal. Resolves to the exit code; rejects when it cannot start. */
export async function runNode(parts: Parts, stopAsked: Promise<string>): Promise<number> {
  const { config, data, clock, randomness, log } = parts;
  settleLayouts();
  const node = await newNode(parts);
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
