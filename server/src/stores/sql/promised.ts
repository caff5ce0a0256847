/** A port's methods out of its steps: each method is one run of them, on whatever engine runs steps. */

import type { Steps } from './schema.ts';

type Method = (...args: never[]) => Steps<unknown>;
export type MethodTable = Readonly<Record<string, Method>>;

/** A port, each method as the steps that it takes. */
export type StepsOf<Port> = {
  readonly [Name in keyof Port]: Port[Name] extends (...args: infer Args) => Promise<infer Answer>
    ? (...args: Args) => Steps<Answer>
    : never;
};

/** Methods as those who wait for them see them. */
export type Promised<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends (...args: infer Args) => Steps<infer Answer>
    ? (...args: Args) => Promise<Answer>
    : never;
};

export type Call = {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly steps: () => Steps<unknown>;
};

/** The methods of a table, each of which hands its call to `run` and answers what that does. */
export function promised<Table extends MethodTable>(
  table: Table,
  run: (call: Call) => Promise<unknown>,
): Promised<Table> {
  const methods = Object.entries(table).map(([name, method]) => [
    name,
    (...args: never[]) => run({ name, args, steps: () => method(...args) }),
  ]);
  return Object.fromEntries(methods) as Promised<Table>;
}
