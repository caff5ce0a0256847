/** Turns what an operation returns into the JSON that scripts read: snake_case members, moments in ISO 8601. */

import { isoText } from './text.ts';

/** Numbers that only the store needs: they would be taken for ids. */
const INTERNAL = new Set(['ordinal', 'generation']);

/** The document of a value: `expiresAtMs` becomes `expires_at`, an ISO text. Absent members are left out. */
export function documentOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(documentOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => member !== undefined && !INTERNAL.has(name))
      .map(([name, member]) =>
        name.endsWith('AtMs') && typeof member === 'number'
          ? [snakeCase(name.slice(0, -2)), isoText(member)]
          : [snakeCase(name), documentOf(member)],
      ),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
