/** What an operation returns, as the JSON that programs read, whichever door they use: snake_case members, moments in ISO 8601. */

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

/** A moment as programs read it. A number that no calendar holds stays a number. */
export function isoText(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? String(atMs) : date.toISOString();
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
