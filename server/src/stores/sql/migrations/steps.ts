/**
 * The steps of the schema from the third on, each written once for both dialects: forward only, one file a step, never edited once it
 * has been released. The first two stand in each store's own `migrations.ts`.
 */

import { policies } from './0003-policies.ts';
import { idempotency } from './0004-idempotency.ts';
import { refusals } from './0005-refusals.ts';
import { secretMacs } from './0006-secret-macs.ts';
import { audit } from './0007-audit.ts';
import { webhooks } from './0008-webhooks.ts';
import { suspensions } from './0009-suspensions.ts';
import { approvals } from './0010-approvals.ts';
import { claims } from './0011-claims.ts';
import { secretLives } from './0012-secret-lives.ts';
import { guards } from './0013-guards.ts';
import { nodeSchema } from './0014-node-schema.ts';
import { dormancy } from './0015-dormancy.ts';
import { origin } from './0016-origin.ts';
import { additive, type DeclaredStep, type Dialect } from './dialect.ts';
import type { Step } from './plan.ts';

/**
 * Each is `additive`, so that nodes of an older version go on beside it; or else it says which step a program must know at least:
 * `{ write: dropOldColumn, needs: 12 }`, 12 being the step since which nobody needs what is taken away (CONTRIBUTING.md).
 */
const STEPS: readonly DeclaredStep[] = [
  // In the order in which they run: a new one goes to the end.
  additive(policies),
  additive(guards),
  additive(audit),
  additive(nodeSchema),
  additive(secretLives),
  additive(idempotency),
  additive(dormancy),
  additive(origin),
  additive(suspensions),
  additive(refusals),
  additive(approvals),
  additive(webhooks),
  additive(secretMacs),
  additive(claims),
];

const FIRST_STEPS = 2;

/** The schema that this program knows. */
export const SCHEMA_VERSION = FIRST_STEPS + STEPS.length;

export function laterMigrations(dialect: Dialect): readonly Step[] {
  return STEPS.map(({ write, needs }) => ({ name: named(write), sql: write(dialect), needs }));
}

/** As its file is called. */
function named({ name }: DeclaredStep['write']): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
