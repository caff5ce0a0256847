/** What may be handed to a database as a parameter: numbers, texts, bytes and NULL, so that the drivers guess nothing. */

export type Parameter = null | number | bigint | string | Uint8Array;

/** An object or a date would be taken by SQLite for named parameters and bind NULL, by PostgreSQL be turned into some text. */
export function checkedParameters(parameters: readonly unknown[]): Parameter[] {
  for (const value of parameters) {
    const fits =
      value === null ||
      typeof value === 'number' ||
      typeof value === 'string' ||
      typeof value === 'bigint' ||
      value instanceof Uint8Array;
    if (!fits) throw new TypeError(`a ${typeof value} is no parameter of a query`);
  }
  return parameters as Parameter[];
}
