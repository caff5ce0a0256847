/** Plain text for people: tables, key and value, receipts in words. No colour, so that every terminal and pipe reads the same. */

import type { Done } from '../operations/context.ts';
import { isoText } from '../operations/document.ts';
import { SUBSCRIBERS } from '../ports/change-log.ts';

export { isoText } from '../operations/document.ts';

type Receipt = Done['receipt'];

/** Columns of even width, two spaces apart, a line a row. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** A list with its heading, or the words for an empty one. */
export function list(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string {
  return rows.length === 0 ? `${empty}\n` : table([heading, ...rows]);
}

/** What is known of one thing; absent values are left out. */
export function pairs(entries: readonly (readonly [string, string | undefined])[]): string {
  return table(
    entries.flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [[`${key}:`, value]],
    ),
  );
}

/** A moment as people read it, in UTC and to the second. */
export function timeText(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : `${isoText(atMs).slice(0, 19)}Z`;
}

const UNITS_MS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A length of time in its largest unit: `3 h`, `12 min`. */
export function durationText(ms: number): string {
  const [unit, unitMs] = UNITS_MS.find(([, size]) => ms >= size) ?? ['s', 1_000];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

/** Nodes, and apart from them the resource servers that follow nodes and remember. */
function those(entries: Receipt['confirmed']): string {
  const following = entries.filter(({ node }) => node.startsWith(SUBSCRIBERS)).length;
  const own = entries.length - following;
  return [
    ...(own === 0 ? [] : [nodes(own)]),
    ...(following === 0 ? [] : [`the subscribers of ${nodes(following)}`]),
  ].join(' and ');
}

/** Who has acknowledged a change, in a sentence or two. */
export function receiptText(receipt: Receipt): string {
  const { confirmed, fenced, left, waiting, sequence } = receipt;
  const parts = [
    ...(confirmed.length === 0
      ? []
      : [`confirmed by ${those(confirmed)} in ${slowest(confirmed)} ms`]),
    ...(fenced.length === 0 ? [] : [`${those(fenced)} written off, which can decide no more`]),
    ...(left.length === 0 ? [] : [`${those(left)} left by itself`]),
    ...(waiting.length === 0 ? [] : [`still waiting for ${waiting.join(', ')}`]),
  ];
  const words =
    parts.length === 0
      ? 'no node is running; one that starts later begins with this change'
      : parts.join('; ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}. Receipt ${sequence}.`;
}

function nodes(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}

function slowest(entries: Receipt['confirmed']): number {
  return Math.ceil(Math.max(...entries.map(({ ms }) => ms)));
}
