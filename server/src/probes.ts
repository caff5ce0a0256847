/** What `doctor` looks at on this machine: files, space, the opened store. Judges nothing and makes nothing. */

import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config, Flags } from './config.ts';
import { journalDirectory } from './data-directory.ts';
import { checkListenAddress } from './http/listen-address.ts';
import { loadCertificate } from './http/tls.ts';
import type { OperationContext } from './operations/context.ts';
import {
  type Finding,
  judgeCertificate,
  judgeClock,
  judgeDirectory,
  judgeDuties,
  judgeFreeSpace,
  judgeNodes,
  judgeReplication,
  judgeRuntime,
  judgeWebhooks,
  type Probe,
} from './operations/doctor.ts';
import { listNodes } from './operations/list-nodes.ts';
import { listWebhooks } from './operations/webhooks.ts';
import { databasePath } from './stores/sqlite/store.ts';
import { systemClock } from './system-clock.ts';

export type Probes = { readonly probes: readonly Probe[]; readonly close: () => Promise<void> };
type Opened = { readonly context: OperationContext; close(): Promise<void> };
type Deps = {
  readonly readConfig: (flags: Flags) => Config;
  readonly open: (config: Config) => Promise<Opened>;
};

/** The probes of a set-up, as far as it can be opened: what lies behind something broken is not looked at. */
export async function probesOf(flags: Flags, deps: Deps): Promise<Probes> {
  const read = attempt(() => deps.readConfig(flags));
  const configuration: Probe = {
    name: 'configuration',
    look: () => ('failure' in read ? failed(read.failure) : judgeListeners(read.value)),
  };
  if ('failure' in read) return { probes: [RUNTIME, configuration], close: nothingOpen };
  const config = read.value;
  const machine = [RUNTIME, configuration, ...configuredProbes(config)];
  if (config.databaseUrl === undefined && !(await exists(databasePath(config.data)))) {
    return { probes: [...machine, missingStore(config)], close: nothingOpen };
  }
  const opened = await deps.open(config).then(
    (value) => ({ value }),
    (failure: Error) => ({ failure }),
  );
  if ('failure' in opened) {
    const store: Probe = {
      name: nameOfFailure(opened.failure),
      look: () => failed(opened.failure),
    };
    return { probes: [...machine, store], close: nothingOpen };
  }
  return { probes: [...machine, ...storeProbes(opened.value)], close: opened.value.close };
}

const RUNTIME: Probe = { name: 'Node.js', look: () => judgeRuntime(process.version) };

/** The probes of a server that runs: it has been configured and opened already. */
export function runningProbes(config: Config, context: OperationContext): readonly Probe[] {
  return [RUNTIME, ...configuredProbes(config), ...storeProbes({ context })];
}

function configuredProbes(config: Config): readonly Probe[] {
  return [
    ...(config.databaseUrl === undefined ? directoryProbes(config) : []),
    { name: 'certificate', look: () => lookAtCertificate(config) },
  ];
}

/** On a database the journal is a table, and its disk is somebody else's. */
function directoryProbes(config: Config): readonly Probe[] {
  return [
    { name: 'data directory', look: () => lookAtData(config) },
    { name: 'journal', look: () => lookAtJournal(config) },
    { name: 'free space', look: () => lookAtSpace(config) },
  ];
}

function storeProbes({ context }: Pick<Opened, 'context'>): readonly Probe[] {
  return [
    { name: 'master key', look: () => ({ ok: true, detail: 'it is the one of this store' }) },
    { name: 'store', look: () => lookAtStore(context) },
    { name: 'nodes', look: async () => judgeNodes(await listNodes(context)) },
    { name: 'duties', look: () => lookAtDuties(context) },
    ...replicationProbe(context),
    { name: 'webhooks', look: async () => judgeWebhooks(await listWebhooks(context)) },
    { name: 'clock', look: () => lookAtClock(context) },
  ];
}

function replicationProbe({ replication }: OperationContext): readonly Probe[] {
  if (replication === undefined) return [];
  return [{ name: 'failover', look: async () => judgeReplication(await replication()) }];
}

async function lookAtStore(context: OperationContext): Promise<Finding> {
  const { head } = await context.log.poll(Number.MAX_SAFE_INTEGER);
  const environments = (await context.directory.environments()).map(({ name }) => name);
  return {
    ok: true,
    detail: `its schema is the one of this version; ${head} changes; ${environments.join(', ')}`,
  };
}

async function lookAtDuties(context: OperationContext): Promise<Finding> {
  const duties = await context.duties.list();
  return judgeDuties(duties, await listNodes(context), context.clock.wallMs());
}

async function lookAtClock(context: OperationContext): Promise<Finding> {
  const { sequence } = await context.audit.head();
  const [line] = await context.audit.lines({ after: Math.max(0, sequence - 1), limit: 1 });
  return judgeClock(context.clock.wallMs(), line?.atMs);
}

async function lookAtData({ data }: Config): Promise<Finding> {
  const mend = 'give the data directory with --data DIR; countersign serve makes a new one';
  const found = await stat(data).catch(() => undefined);
  if (found === undefined) return { ok: false, detail: `${data} does not exist`, mend };
  if (!found.isDirectory()) return { ok: false, detail: `${data} is not a directory`, mend };
  if (!(await isWritable(data))) {
    return {
      ok: false,
      detail: `${data} cannot be written by this user`,
      mend: 'run as the user that owns it, or give it to this one (chown)',
    };
  }
  return judgeDirectory(data, found.mode);
}

async function lookAtJournal(config: Config): Promise<Finding> {
  const path = journalDirectory(config);
  if (!(await exists(path))) return { ok: true, detail: 'none yet: the first server makes it' };
  if (await isWritable(path)) return { ok: true, detail: `${path} can be written` };
  return {
    ok: false,
    detail: `${path} cannot be written, so no token would be issued`,
    mend: 'give it to the user that the server runs as (chown), or mount it writable',
  };
}

async function lookAtSpace({ data }: Config): Promise<Finding> {
  const { bavail, bsize } = await statfs((await exists(data)) ? data : join(data, '..'));
  return judgeFreeSpace(bavail * bsize);
}

async function lookAtCertificate(config: Config): Promise<Finding> {
  const { tlsCertificate: certificateFile, tlsKey: keyFile } = config;
  if (certificateFile === undefined || keyFile === undefined) {
    return { ok: true, detail: 'none is configured: plain HTTP on loopback, or a TLS proxy' };
  }
  const mend = 'give a PEM certificate chain and its unencrypted private key';
  try {
    return judgeCertificate(
      await loadCertificate({ certificateFile, keyFile }),
      systemClock.wallMs(),
    );
  } catch (error) {
    return { ...failed(error as Error), mend };
  }
}

function judgeListeners(config: Config): Finding {
  const { listen, adminListen, trustedProxies } = config;
  const tls = config.tlsKey !== undefined;
  const problems = [listen, adminListen].flatMap(
    ({ host }) => checkListenAddress({ host, tls, trustedProxies }) ?? [],
  );
  if (problems[0] !== undefined) return { ok: false, detail: problems[0] };
  if (listen.port !== 0 && listen.port === adminListen.port && listen.host === adminListen.host) {
    return { ok: false, detail: 'both listeners have one address', mend: 'change --admin-listen' };
  }
  return { ok: true, detail: `listens at ${listen.host}:${listen.port}` };
}

function missingStore({ data }: Config): Probe {
  return {
    name: 'store',
    look: () => ({
      ok: false,
      detail: `${data} holds no store yet`,
      mend: `countersign serve --data ${data}, which makes one`,
    }),
  };
}

function nameOfFailure({ name, message }: Error): string {
  return name === 'MasterKeyError' || message.includes('master key') ? 'master key' : 'store';
}

function failed({ message }: Error): Finding {
  return { ok: false, detail: message };
}

function attempt<T>(act: () => T): { readonly value: T } | { readonly failure: Error } {
  try {
    return { value: act() };
  } catch (error) {
    return { failure: error as Error };
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isWritable(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function nothingOpen(): Promise<void> {}
