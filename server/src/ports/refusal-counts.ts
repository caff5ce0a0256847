/** Refused attempts as nodes count them and people read them. */

/** The address under which attempts are counted that there was no row left for. */
export const OTHER_ADDRESSES = '';

/** How often something was refused within an hour. A number is 0 where it was not known. */
export type RefusalCount = {
  /** Hours since 1970. */
  readonly hour: number;
  readonly environment: number;
  readonly client: number;
  readonly secret: number;
  readonly reason: string;
  readonly address: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
};

export type RefusalQuery = {
  /** Ordinal; left out: of all, and of none. */
  readonly client?: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly limit: number;
};
