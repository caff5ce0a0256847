/** What people must be told of: a view on lines of the audit trail, by a table of actions. Sends nothing. */

import type { AuditLine } from '../ports/model.ts';
import type { OperationContext } from './context.ts';

/** Actions of the audit trail by the type of notice that they are. */
export const NOTICES = {
  'program.suspend': 'suspended',
  'client.suspend': 'suspended',
  'client.suspend-many': 'suspended',
  'program.reactivate': 'reactivated',
  'client.reactivate': 'reactivated',
  'suspension.end': 'reactivated',
  'secret.expose': 'exposed',
  'secret.expiring': 'expiring',
  'claim.used': 'claimed',
  'quota.reached': 'quota',
  'approval.ask': 'approval-pending',
  'break-glass': 'break-glass',
  'client.dormant': 'dormant',
} as const satisfies Readonly<Record<string, string>>;

export type NoticeType = (typeof NOTICES)[keyof typeof NOTICES];

export type Notice = {
  readonly type: NoticeType;
  /** Public ids of what it is about, as far as the line tells. */
  readonly program?: string;
  readonly client?: string;
  readonly secret?: string;
  readonly target: string;
  readonly reason?: string;
  /** Of many at once: how many programs and clients, and how they were selected. */
  readonly count?: number;
  readonly where?: readonly string[];
  /** Number to ask for the receipt with. */
  readonly receipt?: number;
  /** Number of the line in the audit trail. */
  readonly line: number;
  readonly at: string;
};

/** Lines are asked for in pages, and the same client stands in many. */
const KNOWN_MAX = 1_000;

/** What is to be told of a line, about the one program if one is given. */
export type NoticeReader = (line: AuditLine, program?: string) => Promise<Notice | undefined>;

/** Reads notices; what it has looked up it remembers, within a bound, as long as it is used. */
export function newNoticeReader(
  context: Pick<OperationContext, 'directory' | 'audit'>,
): NoticeReader {
  const { directory } = context;
  const programs = new Map<string, string>();
  const programOf = async (clientId: string): Promise<string | undefined> => {
    const known = programs.get(clientId);
    if (known !== undefined) return known;
    const [client] = await directory.clients({ clientId });
    if (client === undefined) return undefined;
    if (programs.size >= KNOWN_MAX) programs.clear();
    programs.set(clientId, client.programId);
    return client.programId;
  };
  const isOneOfMany = newLookAtWhole(context);
  return async (line, only) => {
    const type = noticeType(line.action);
    if (type === undefined || leftSuspended(line) || (await isOneOfMany(line))) return undefined;
    const many = manyIn(line, only);
    if (many === 'nobody') return undefined;
    const named = namesIn(line);
    const [secret] =
      named.secret === undefined ? [] : await directory.secrets({ secretId: named.secret });
    const client = named.client ?? secret?.clientId;
    const program =
      many.program ?? named.program ?? (client === undefined ? undefined : await programOf(client));
    if (only !== undefined && program !== only) return undefined;
    const { reason } = line.detail;
    return {
      type,
      ...(program === undefined ? {} : { program }),
      ...(client === undefined ? {} : { client }),
      ...(named.secret === undefined ? {} : { secret: named.secret }),
      target: line.target,
      ...(typeof reason === 'string' ? { reason } : {}),
      ...many,
      ...(line.change === undefined ? {} : { receipt: line.change }),
      line: line.sequence,
      at: new Date(line.atMs).toISOString(),
    };
  };
}

function noticeType(action: string): NoticeType | undefined {
  return Object.hasOwn(NOTICES, action) ? NOTICES[action as keyof typeof NOTICES] : undefined;
}

/** Whether another suspension keeps suspended what a line says was ended. */
function leftSuspended({ action, detail }: AuditLine): boolean {
  if (NOTICES[action as keyof typeof NOTICES] !== 'reactivated') return false;
  const { remains, ended } = detail as { remains?: string; ended?: { active: boolean }[] };
  return remains !== undefined || ended?.every(({ active }) => !active) === true;
}

/** Whether the line is that of one client of many, of whom the first line of the change tells. */
function newLookAtWhole({ audit }: Pick<OperationContext, 'audit'>) {
  let last: { readonly change: number; readonly isOfMany: boolean } | undefined;
  return async ({ action, change }: AuditLine): Promise<boolean> => {
    if (action !== 'client.suspend' || change === undefined) return false;
    if (last?.change !== change) {
      const [whole] = await audit.lines({ change, limit: 1 });
      last = { change, isOfMany: whole?.action === 'client.suspend-many' };
    }
    return last.isOfMany;
  };
}

/**
 * What a line about many tells: of all of them once, by its first part; of those of one program, by each part that has some.
 * What the conditions were, and how many others met them, is not that program's affair.
 */
function manyIn(
  { action, detail }: AuditLine,
  only: string | undefined,
): Pick<Notice, 'program' | 'count' | 'where'> | 'nobody' {
  const { where, part, matched, programs, ended } = detail as {
    readonly where?: readonly string[];
    readonly part?: number;
    readonly matched?: number;
    readonly programs?: readonly { readonly program: string; readonly count: number }[];
    readonly ended?: readonly { readonly active: boolean }[];
  };
  if (only !== undefined && programs !== undefined) {
    return programs.find(({ program }) => program === only) ?? 'nobody';
  }
  if (action === 'client.suspend-many') {
    if (part !== undefined && part > 1) return 'nobody';
    return { ...(where === undefined ? {} : { where }), ...count(matched) };
  }
  return count(ended?.filter(({ active }) => active).length);
}

const count = (of: number | undefined) => (of === undefined ? {} : { count: of });

type Names = { readonly program?: string; readonly client?: string; readonly secret?: string };

const PROGRAM = /^program_[0-9A-Za-z_]{1,40}$/;
const SECRET = /^sec_[0-9A-Za-z_]{1,40}$/;
const CLIENT = /^[a-z][a-z0-9]{0,15}_[a-z0-9]{2,12}_[0-9A-Za-z]{16}$/;

/**
 * What the line's target and those members of its detail name that hold ids, which tell by themselves what they are of. Never a text that
 * somebody chose: a secret named after another program would have that program told.
 */
function namesIn({ target, detail }: AuditLine): Names {
  const names: { program?: string; client?: string; secret?: string } = {};
  const { target: about, program, client, secret } = detail;
  for (const text of [target, about, program, client, secret]) {
    if (typeof text !== 'string') continue;
    if (PROGRAM.test(text)) names.program ??= text;
    else if (SECRET.test(text)) names.secret ??= text;
    else if (CLIENT.test(text)) names.client ??= text;
  }
  return names;
}
