/** Every read that is one run of steps, by its port and its name there: a new one is a line here, for every engine. */

import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Checkpoints } from '../../ports/checkpoints.ts';
import type { Directory } from '../../ports/directory.ts';
import type { DutyRoster } from '../../ports/duties.ts';
import type { Webhooks } from '../../ports/webhooks.ts';
import { checkpoints, latestCheckpoint, signingKeys } from './checkpoints.ts';
import { claimHashes, claims } from './claims.ts';
import * as directory from './directory.ts';
import { dormantClients } from './dormancy.ts';
import { listDuties } from './duties.ts';
import { secretsByMac } from './found-secrets.ts';
import { keys } from './keys.ts';
import type { StepsOf } from './promised.ts';
import { refusalCounts } from './refusals.ts';
import { approvals, dueSuspensions, suspensions } from './suspensions.ts';
import { lastChange } from './unchanged.ts';
import { webhooks } from './webhooks.ts';

export const READS = {
  directory: {
    environments: directory.environments,
    programs: directory.programs,
    clients: directory.clients,
    countClients: directory.countClients,
    secrets: directory.secrets,
    dormantClients,
    claims,
    claimHashes,
    expiringSecrets: directory.expiringSecrets,
    scopes: directory.scopes,
    resources: directory.resources,
    changesAbout: directory.changesAbout,
    keys,
    secretsByMac,
    refusals: refusalCounts,
    policies: directory.policies,
    lastChange,
    suspensions,
    dueSuspensions,
    approvals,
  } satisfies StepsOf<Omit<Directory, 'wallMs'>>,
  audit: {
    lines: directory.audit,
    chain: directory.auditRows,
    head: directory.auditHead,
  } satisfies StepsOf<AuditTrail>,
  checkpoints: {
    latest: latestCheckpoint,
    list: checkpoints,
    signingKeys,
  } satisfies StepsOf<Omit<Checkpoints, 'add'>>,
  webhooks: { list: webhooks } satisfies StepsOf<Pick<Webhooks, 'list'>>,
  duties: { list: listDuties } satisfies StepsOf<Pick<DutyRoster, 'list'>>,
};
