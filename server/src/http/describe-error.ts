/** Errors as a log may show them. Knows no log. */

/** How many causes of an error are written down: enough for a wrapped driver error, never a loop. */
const CAUSES_MAX = 4;

/** An error as log fields: what went wrong and where, without the properties that a library may have hung on it. */
export function describeError(error: unknown, depth = 0): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { thrown: typeof error };
  const described = { name: error.name, message: error.message, stack: error.stack };
  if (error.cause === undefined || depth >= CAUSES_MAX) return described;
  return { ...described, cause: describeError(error.cause, depth + 1) };
}
