/** What the dialects call differently, for a step of the schema that is written once, and what a step says of older programs. */

export type Dialect = {
  /** A whole number: times, counters, flags. */
  readonly int: string;
  readonly bytes: string;
  /** A number that the database gives out and never gives out again: `ordinal` stands before it. */
  readonly identity: string;
  /** What stands after a table's closing bracket. */
  readonly strict: string;
  /** For the few things that only one of them has. */
  readonly isPostgres: boolean;
};

export type Migration = (dialect: Dialect) => string;

/** A step before it is put into a dialect. */
export type DeclaredStep = { readonly write: Migration; readonly needs: number };

/** A step that a program which has never heard of it may go on beside: it adds, and asks nothing of who writes what was there. */
export const additive = (write: Migration): DeclaredStep => ({ write, needs: 0 });
