/** The newest lines of the audit trail, for people. */

import type { AuditLine } from '../ports/model.ts';
import type { OperationContext } from './context.ts';

/** The last `limit` lines, or `limit` lines after a number; oldest first. */
export async function listAudit(
  context: Pick<OperationContext, 'audit'>,
  input: { readonly after?: number | undefined; readonly limit: number },
): Promise<readonly AuditLine[]> {
  const { limit } = input;
  const after = input.after ?? Math.max(0, (await context.audit.head()).sequence - limit);
  return await context.audit.lines({ after, limit });
}
