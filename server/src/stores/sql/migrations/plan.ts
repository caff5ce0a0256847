/** What has to be done to a store's schema, and whether a program may work on it at all. Pure: it runs no step. */

export type Step = {
  readonly name: string;
  readonly sql: string;
  /** The least schema that a program must know to work on a store with this step; 0: any, the step is additive. */
  readonly needs: number;
};

/** What a store says of its schema. */
export type Found = {
  /** How many steps it has had; 0: it is new. */
  readonly version: number;
  /** The oldest schema whose programs may work on it. */
  readonly oldest: number;
};

/** A schema before and after its steps, which are named. */
export type Migrated = {
  readonly before: number;
  readonly after: number;
  readonly oldest: number;
  readonly steps: readonly string[];
};

export type Plan = Migrated & {
  readonly pending: readonly Step[];
  /** The least schema that a running node must know; 0: any. */
  readonly needs: number;
};

/** The schema cannot be used, or brought up to date, by this program; the message says what to do. */
export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused';
}

/** The steps that are left. Throws `SchemaRefused` when a newer program has made the store one that this program must not touch. */
export function planFor(where: string, found: Found, steps: readonly Step[]): Plan {
  const known = steps.length;
  if (found.version > known && found.oldest > known) {
    throw new SchemaRefused(
      `${where} has schema ${found.version}, on which nothing older than ${found.oldest} may work, and this Countersign knows ${known}: ` +
        'it was written by a newer version; run that version, or restore a backup of this one',
    );
  }
  const pending = steps.slice(found.version);
  const needs = Math.max(0, ...pending.map((step) => step.needs));
  return {
    before: found.version,
    after: Math.max(found.version, known),
    oldest: Math.max(found.oldest, needs),
    steps: pending.map(({ name }) => name),
    pending,
    needs,
  };
}

/** A node that runs, with the schema that it knows; without one it is older than such knowledge. */
export type RunningNode = { readonly node: string; readonly schema: number };

/** Throws `SchemaRefused` when a running node is too old for what is to be done. */
export function requireNodes(plan: Plan, nodes: readonly RunningNode[]): void {
  const tooOld = nodes.filter(({ schema }) => schema < plan.needs);
  if (tooOld.length === 0) return;
  const names = tooOld.map(({ node }) => node).join(', ');
  throw new SchemaRefused(
    `nodes still run that are too old for schema ${plan.after}: ${names}; upgrade them to a version that knows schema ${plan.needs} first, or stop them`,
  );
}

/** Throws `SchemaRefused` when there is something to be done to a store that is not new. */
export function requireUpToDate(where: string, plan: Plan): void {
  if (plan.before === 0 || plan.pending.length === 0) return;
  throw new SchemaRefused(
    `${where} has schema ${plan.before}, this Countersign needs ${plan.after}, and may not bring it up to date by itself ` +
      '(COUNTERSIGN_MIGRATIONS=off): run countersign migrate',
  );
}
