/** Moments and durations as operators type them. Reads text alone: the present is handed in. */

import { invalid } from './input.ts';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Ten years: a longer duration is a slip of the finger. */
const DURATION_MS_MAX = 3_653 * UNIT_MS.d;

const DURATION = /^(\d{1,9})([smhd])$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
/** RFC 3339 §5.6: a date and time with its zone, seconds and their parts optional. */
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** A duration such as `24h`, `30m`, `45s`, `7d` or `0s`, in milliseconds. */
export function parseDuration(parameter: string, text: string): number {
  const durationMs = durationOf(text);
  if (durationMs !== undefined && durationMs <= DURATION_MS_MAX) return durationMs;
  throw invalid(
    `${parameter} must be a duration such as 24h, 30m, 45s or 7d, of ten years at most`,
  );
}

/** A moment: `2027-01-31T12:00:00Z`, a date (its first moment in UTC), or a duration from now. */
export function parseTime(parameter: string, text: string, nowMs: number): number {
  const atMs = momentOf(text, nowMs);
  if (atMs !== undefined) return atMs;
  throw invalid(
    `${parameter} must be a time with its zone such as 2027-01-31T12:00:00Z, a date such as 2027-01-31 (UTC), ` +
      'or a duration from now such as 90d, 24h, 30m or 45s',
  );
}

/** A moment in the past: like `parseTime`, but a duration counts back from now. */
export function parseSince(parameter: string, text: string, nowMs: number): number {
  const durationMs = durationOf(text);
  if (durationMs === undefined) return parseTime(parameter, text, nowMs);
  return nowMs - parseDuration(parameter, text);
}

function momentOf(text: string, nowMs: number): number | undefined {
  const durationMs = durationOf(text);
  if (durationMs !== undefined) {
    return durationMs <= DURATION_MS_MAX ? nowMs + durationMs : undefined;
  }
  const date = DATE_TIME.exec(text)?.[1] ?? text;
  const startOfDayMs = dayOf(date);
  return startOfDayMs === undefined || date === text ? startOfDayMs : Date.parse(text);
}

function durationOf(text: string): number | undefined {
  const match = DURATION.exec(text);
  return match === null ? undefined : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/** The first moment of a day in UTC; undefined for a day that no calendar has, which a date parser would move. */
function dayOf(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const atMs = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return new Date(atMs).toISOString().startsWith(text) ? atMs : undefined;
}
