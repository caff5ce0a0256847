/** The command that reports what a client's credentials did. */

import { type ClientReport, reportClient, type Tally } from '../../operations/report-client.ts';
import { parseSince } from '../../operations/time-input.ts';
import type { Command, Output, StoreCall } from '../command.ts';
import { csv } from '../csv.ts';
import { documentOf } from '../document.ts';
import { isoText, list, pairs, timeText } from '../text.ts';
import { tokenTable } from './token-table.ts';

/** Tokens of the printed table; JSON and CSV have all. */
const PRINTED_TOKENS_MAX = 50;
const PRINTED_REFUSALS_MAX = 20;

async function report({ context, args }: StoreCall): Promise<Output> {
  const nowMs = context.clock.wallMs();
  const until = args.option('until');
  const made = await reportClient(context, {
    clientId: args.positional('ID'),
    sinceMs: parseSince('--since', args.required('since'), nowMs),
    untilMs: until === undefined ? undefined : parseSince('--until', until, nowMs),
    secretId: args.option('secret'),
  });
  return {
    document: documentOf(made),
    text: args.flag('csv') ? csvOf(made) : textOf(made),
    complaint: made.whole
      ? undefined
      : 'the report is cut: there were more tokens; ask for a shorter span with --since and --until',
  };
}

function textOf(report: ClientReport): string {
  const sections = [
    pairs([
      ['client', report.clientId],
      ['name', report.name],
      ['program', report.programId],
      ['environment', report.environment],
      ['state', report.state],
      ['from', timeText(report.sinceAtMs)],
      ['to', timeText(report.untilAtMs)],
      ['tokens', `${report.tokens.length}, of which ${report.live} still live`],
    ]),
    list(
      ['SECRET', 'ENDS IN', ...TALLY],
      report.bySecret.map((one) => [one.secretId, `…${one.hint}`, ...tallyCells(one)]),
      'No secret minted a token.',
    ),
    list(
      ['ADDRESS', ...TALLY],
      report.byAddress.map((one) => [one.address, ...tallyCells(one)]),
      'No address got a token.',
    ),
    list(
      ['SUSPENDED', 'ENDED', 'WHAT', 'TOKENS BEFORE', 'AFTER', 'BY', 'REASON'],
      report.suspensions.map((one) => [
        timeText(one.suspendedAtMs) ?? '',
        timeText(one.endedAtMs) ?? 'open',
        one.of,
        String(one.tokensBefore),
        String(one.tokensAfter),
        one.by,
        one.reason,
      ]),
      'Neither the client nor its program was suspended.',
    ),
    refusedText(report),
    list(
      ['CHANGED', 'ACTION', 'TARGET', 'BY'],
      report.changes.map((one) => [
        timeText(one.changedAtMs) ?? '',
        one.action,
        one.target,
        one.actor,
      ]),
      'Nothing was changed.',
    ),
    tokenTable(report.tokens.slice(0, PRINTED_TOKENS_MAX), 'No token was issued.'),
  ];
  const rest = report.tokens.length - PRINTED_TOKENS_MAX;
  const more = rest > 0 ? `… and ${rest} more: --csv and --json have all.\n` : '';
  return `${sections.join('\n')}${more}`;
}

function refusedText(report: ClientReport): string {
  return list(
    ['REFUSED', 'TIMES', 'FIRST', 'LAST', 'FROM', 'SECRET'],
    report.refused
      .slice(0, PRINTED_REFUSALS_MAX)
      .map((one) => [
        one.reason,
        String(one.times),
        timeText(one.firstAtMs) ?? '',
        timeText(one.lastAtMs) ?? '',
        one.address || 'elsewhere',
        one.secretId ?? '-',
      ]),
    'Nothing was refused.',
  );
}

const TALLY = ['TOKENS', 'LIVE', 'FIRST', 'LAST'];

function tallyCells({ tokens, live, firstAtMs, lastAtMs }: Tally): readonly string[] {
  return [String(tokens), String(live), timeText(firstAtMs) ?? '', timeText(lastAtMs) ?? ''];
}

function csvOf({ tokens }: ClientReport): string {
  return csv(
    ['jti', 'standing', 'secret_id', 'scope', 'resource', 'issued_at', 'expires_at', 'address'],
    tokens.map((token) => [
      token.jti,
      token.standing,
      token.secretId,
      token.scope,
      token.resource ?? '',
      isoText(token.issuedAtMs),
      isoText(token.expiresAtMs),
      token.address,
    ]),
  );
}

export const CLIENT_REPORT: Command = {
  path: ['client', 'report'],
  summary:
    "Report what a client's credentials did: tokens, addresses, changes, what is still live.",
  about:
    'The tokens that its secrets minted in a span of time, when and from where, and how many before and after each suspension.\n' +
    'It names tokens and secrets, and holds none.',
  positionals: [{ name: 'ID', doc: 'Id of the client: client_test_… or client_live_…' }],
  options: [
    {
      name: 'since',
      value: 'TIME',
      required: true,
      doc: 'From when on: a time, a date, or how long ago, such as 7d.',
    },
    { name: 'until', value: 'TIME', doc: 'Until when, in the same ways (default now).' },
    { name: 'secret', value: 'SECRET_ID', doc: 'Only what this secret minted.' },
    { name: 'csv', doc: 'Print the tokens as comma-separated values (RFC 4180).' },
  ],
  examples: [
    'countersign client report client_live_4Gq8Zk1LwP0xYb3N --since 7d',
    'countersign client report client_live_4Gq8Zk1LwP0xYb3N --since 2026-11-01 --csv > tokens.csv',
  ],
  run: report,
};
