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
  /** Number to ask for the receipt with. */
  readonly receipt?: number;
  /** Number of the line in the audit trail. */
  readonly line: number;
  readonly at: string;
};

/** Lines are asked for in pages, and the same client stands in many. */
const KNOWN_MAX = 1_000;

export type NoticeReader = (line: AuditLine) => Promise<Notice | undefined>;

/** Reads notices; what it has looked up it remembers, within a bound, as long as it is used. */
export function newNoticeReader({ directory }: Pick<OperationContext, 'directory'>): NoticeReader {
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
  return async (line) => {
    const type = noticeType(line.action);
    if (type === undefined) return undefined;
    const named = namesIn(line);
    const [secret] =
      named.secret === undefined ? [] : await directory.secrets({ secretId: named.secret });
    const client = named.client ?? secret?.clientId;
    const program = named.program ?? (client === undefined ? undefined : await programOf(client));
    const { reason } = line.detail;
    return {
      type,
      ...(program === undefined ? {} : { program }),
      ...(client === undefined ? {} : { client }),
      ...(named.secret === undefined ? {} : { secret: named.secret }),
      target: line.target,
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(line.change === undefined ? {} : { receipt: line.change }),
      line: line.sequence,
      at: new Date(line.atMs).toISOString(),
    };
  };
}

function noticeType(action: string): NoticeType | undefined {
  return Object.hasOwn(NOTICES, action) ? NOTICES[action as keyof typeof NOTICES] : undefined;
}

type Names = { readonly program?: string; readonly client?: string; readonly secret?: string };

const PROGRAM = /^program_[0-9A-Za-z_]{1,40}$/;
const SECRET = /^sec_[0-9A-Za-z_]{1,40}$/;
const CLIENT = /^[a-z][a-z0-9]{0,15}_[a-z0-9]{2,12}_[0-9A-Za-z]{16}$/;

/** What the line's target and the members of its detail name; ids tell by themselves what they are of. */
function namesIn({ target, detail }: AuditLine): Names {
  const names: { program?: string; client?: string; secret?: string } = {};
  for (const text of [target, ...Object.values(detail)]) {
    if (typeof text !== 'string') continue;
    if (PROGRAM.test(text)) names.program ??= text;
    else if (SECRET.test(text)) names.secret ??= text;
    else if (CLIENT.test(text)) names.client ??= text;
  }
  return names;
}
