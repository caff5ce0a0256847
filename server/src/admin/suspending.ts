/** What the rows of programs and of clients share about suspensions: what may be said with one, and what is answered. */

import type { Static } from 'typebox';
import { documentOf } from '../operations/document.ts';
import type { Reactivated, ReactivationTerms } from '../operations/reactivation.ts';
import type { Suspended } from '../operations/suspension-end.ts';
import { parseTime } from '../operations/time-input.ts';
import { Type } from './json-schema.ts';
import { type Call, changed, type Result } from './route.ts';
import * as schema from './schemas.ts';

export const SUSPENDING = schema.strict({
  reason: schema.reason,
  until: Type.Optional(schema.moment),
});

/** Of what may need an approval. */
export const REACTIVATING = schema.strict({
  suspension_id: Type.Optional(schema.text('End this one of its suspensions alone.', 64)),
  reason: Type.Optional(schema.reason),
  break_glass: Type.Optional(schema.breakGlass),
});

const suspension = schema.record({
  suspension_id: Type.String(),
  reason: Type.String(),
  opened_at: schema.at,
  opened_by: Type.String(),
  until_at: Type.Optional(schema.at),
});
export const openSuspensions = { suspensions: Type.Array(suspension) };

/** Its end waits for this approval. */
export const endApproval = { end_approval_id: Type.Optional(Type.String()) };

export const reactivation = {
  active: schema.flag(
    'False: it is suspended still, by what else is open or until it is approved.',
  ),
  approval_id: Type.Optional(
    Type.String({ description: 'Nothing has changed yet: somebody else has to grant this.' }),
  ),
  expires_at: Type.Optional(schema.at),
};

export function untilOf({
  context,
  body: { until },
}: Pick<Call<unknown, unknown, Static<typeof SUSPENDING>>, 'context' | 'body'>) {
  return until === undefined ? undefined : parseTime('until', until, context.clock.wallMs());
}

export function termsOf(body: Static<typeof REACTIVATING>): ReactivationTerms {
  const { suspension_id: suspensionId, reason, break_glass: breakGlass } = body;
  return { suspensionId, reason, breakGlass };
}

export function suspended({ endApproval: asked, ...done }: Suspended, members: object): Result {
  return changed(done, { ...members, endApprovalId: asked?.approvalId });
}

export function reactivated(
  { remaining, approval, ...done }: Reactivated,
  members: object,
): Result {
  const result = changed(done, {
    ...members,
    active: remaining.length === 0,
    suspensions: documentOf(remaining),
    approvalId: approval?.approvalId,
    expiresAtMs: approval?.expiresAtMs,
  });
  return result.is === 'change' ? { ...result, isAsked: approval !== undefined } : result;
}
