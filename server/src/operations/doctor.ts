/** Judges a set-up: named checks, each with what to do about it. Looks at nothing itself: probes are handed in. */

import { LOST_NODES, SUBSCRIBERS } from '../ports/change-log.ts';
import type { DutyRow } from '../ports/duties.ts';
import type { Replication } from '../ports/store.ts';
import type { ListedNode } from './list-nodes.ts';
import type { Webhook } from './webhooks.ts';

export type Finding = { readonly ok: boolean; readonly detail: string; readonly mend?: string };
export type Check = { readonly name: string } & Finding;
export type Probe = { readonly name: string; readonly look: () => Finding | Promise<Finding> };

/** Below it a busy day's journal may not fit. */
const FREE_BYTES_MIN = 512 * 1024 * 1024;
const CERTIFICATE_NOTICE_MS = 14 * 86_400_000;
/** A clock that is further behind the last audit line than this has been set back. */
const CLOCK_STEP_MS_MAX = 2_000;
const NODE_MAJOR_MIN = 24;
/** A duty that was not done for so many of its turns, and for so long, is not done at all. */
const DUTY_TURNS_MISSED_MAX = 5;
const DUTY_LATE_MS_MIN = 10 * 60_000;
/** Longer than a receiver that restarts is away. */
const WEBHOOK_LATE_MS_MAX = 5 * 60_000;

/** Runs every probe in turn; one that fails to look has failed. */
export async function diagnose(probes: readonly Probe[]): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const { name, look } of probes) {
    try {
      checks.push({ name, ...(await look()) });
    } catch (error) {
      checks.push({ name, ok: false, detail: (error as Error).message });
    }
  }
  return checks;
}

export function judgeRuntime(version: string): Finding {
  const detail = `Node.js ${version.replace(/^v/, '')}`;
  if (Number(/^v?(\d+)/.exec(version)?.[1]) >= NODE_MAJOR_MIN) return { ok: true, detail };
  return {
    ok: false,
    detail,
    mend: `run Node.js ${NODE_MAJOR_MIN} or newer; npm ci in a checkout brings one`,
  };
}

/** Of a directory that holds the keys of a bank: nobody but its owner may look into it. */
export function judgeDirectory(path: string, mode: number): Finding {
  const permissions = (mode & 0o777).toString(8).padStart(4, '0');
  const detail = `${path} has permissions ${permissions}`;
  if ((mode & 0o077) === 0) return { ok: true, detail };
  return {
    ok: false,
    detail: `${detail}: others than its owner can reach into it`,
    mend: `chmod 700 ${path}`,
  };
}

export function judgeFreeSpace(freeBytes: number): Finding {
  const detail = `${Math.floor(freeBytes / 1024 / 1024)} MiB free`;
  if (freeBytes >= FREE_BYTES_MIN) return { ok: true, detail };
  return {
    ok: false,
    detail,
    mend: `free space until ${FREE_BYTES_MIN / 1024 / 1024} MiB are left: without it no token is issued`,
  };
}

export function judgeNodes(nodes: readonly ListedNode[]): Finding {
  const known = nodes.filter(
    ({ node }) => !node.startsWith(LOST_NODES) && !node.startsWith(SUBSCRIBERS),
  );
  const words = known.map(({ node, state, behind }) =>
    behind === 0 ? `${node} ${state}` : `${node} ${state}, ${behind} changes behind`,
  );
  const detail = words.length === 0 ? 'no node is running' : words.join('; ');
  if (known.every(({ state }) => state === 'alive')) return { ok: true, detail };
  return {
    ok: false,
    detail,
    mend: 'start the dead server again (countersign serve) and look into its log; a silent one may be stopped or starved',
  };
}

/** What the next failover would take, and what the last one did. */
export function judgeReplication(replication: Replication): Finding {
  const { place, sinceMs, isSynchronous, standbys, waitsMs } = replication;
  const since = new Date(sinceMs).toISOString();
  const where =
    place === ''
      ? 'this engine does not tell of a promotion'
      : `timeline ${place.split('/')[1]} since ${since}`;
  if (waitsMs !== undefined) {
    return {
      ok: false,
      detail: `the store was promoted or restored (${where}): nothing is decided for ${Math.ceil(waitsMs / 1000)} s`,
      mend: 'wait; then suspend and revoke again what may have been lost: docs/operating/postgresql.md, failover',
    };
  }
  if (isSynchronous) return { ok: true, detail: `commits wait for a standby; ${where}` };
  if (standbys === 0) {
    return {
      ok: true,
      detail: `no standby: what is committed is lost with this database; ${where}`,
    };
  }
  return {
    ok: false,
    detail: `standby asynchronous: promises 1 to 3 end at a failover, which may take back what was just confirmed; ${where}`,
    mend: "set synchronous_standby_names, better to two: 'ANY 1 (a, b)'",
  };
}

/** What the nodes do without being asked. A store without a server has nobody to do it, and that is no fault. */
export function judgeDuties(
  duties: readonly DutyRow[],
  nodes: readonly ListedNode[],
  nowMs: number,
): Finding {
  const alive = nodes.filter(
    ({ node, state }) => state === 'alive' && !node.startsWith(SUBSCRIBERS),
  );
  if (alive.length === 0) return { ok: true, detail: 'no node is running that could do any' };
  const upSinceMs = Math.min(...alive.map(({ startedAtMs }) => startedAtMs));
  const faults = duties.flatMap(({ duty, everyMs, endedAtMs = 0, failures, problem }) => {
    if (failures > 0) return `${duty} failed ${failures} times in a row: ${problem}`;
    const lateMs = nowMs - Math.max(endedAtMs, upSinceMs);
    if (lateMs <= Math.max(DUTY_LATE_MS_MIN, DUTY_TURNS_MISSED_MAX * everyMs)) return [];
    return `${duty} was not done for ${Math.round(lateMs / 1000)} s`;
  });
  if (faults.length === 0) return { ok: true, detail: `${duties.length} are done as they should` };
  const mend = "look for 'duty failed' and 'no turn taken' in the servers' logs";
  return { ok: false, detail: faults.join('; '), mend };
}

/** Who is to be told of the audit trail, and has not heard of it for too long. */
export function judgeWebhooks(
  webhooks: readonly Pick<
    Webhook,
    'webhookId' | 'disabled' | 'behind' | 'behindSeconds' | 'problem'
  >[],
): Finding {
  const faults = webhooks.flatMap(({ webhookId, disabled, behind, behindSeconds, problem }) => {
    const cause = problem === undefined ? '' : ` (${problem})`;
    if (disabled) return `${webhookId} is disabled${cause}`;
    if (behindSeconds * 1000 <= WEBHOOK_LATE_MS_MAX) return [];
    return `${webhookId} is ${behind} lines and ${behindSeconds} s behind${cause}`;
  });
  if (faults.length === 0) return { ok: true, detail: `${webhooks.length} of them, none behind` };
  const mend =
    "see 'countersign webhook list'; look whether the receiver answers (webhook test), and 'webhook resume ID' where one is disabled";
  return { ok: false, detail: faults.join('; '), mend };
}

/** All processes of a data directory share one clock, so that it can only be wrong against the past. */
export function judgeClock(nowMs: number, lastLineMs: number | undefined): Finding {
  const behindMs = (lastLineMs ?? nowMs) - nowMs;
  if (behindMs <= CLOCK_STEP_MS_MAX) return { ok: true, detail: 'offset to the store: 0 ms' };
  return {
    ok: false,
    detail: `the clock is ${Math.round(behindMs / 1000)} s behind the last audit line`,
    mend: 'set the clock right (NTP): tokens and secrets expire by it',
  };
}

export function judgeCertificate(
  certificate: { readonly validFromMs: number; readonly validToMs: number },
  nowMs: number,
): Finding {
  const until = new Date(certificate.validToMs).toISOString();
  const detail = `the certificate is valid until ${until}`;
  if (nowMs < certificate.validFromMs) {
    const from = new Date(certificate.validFromMs).toISOString();
    const mend = 'check the clock, or install a certificate that is valid now';
    return { ok: false, detail: `the certificate is valid only from ${from}`, mend };
  }
  if (certificate.validToMs - nowMs > CERTIFICATE_NOTICE_MS) return { ok: true, detail };
  const mend = 'renew it: the files are read again within seconds, without a restart';
  return { ok: false, detail, mend };
}
