/**
 * Builds the JSON Schemas of the admin API, with the types that TypeBox reads from them. Of TypeBox itself only what checks is loaded:
 * its own builders are 450 modules more, a fifth of a second of each start and 10 MiB, for the nine that are needed here.
 */

import type {
  TArray,
  TArrayOptions,
  TBoolean,
  TInteger,
  TLiteral,
  TNumber,
  TNumberOptions,
  TObject,
  TObjectOptions,
  TOptional,
  TProperties,
  TSchema,
  TSchemaOptions,
  TString,
  TStringOptions,
  TUnion,
} from 'typebox';

/** Marks a member that may be missing. Not enumerable: it is no part of the schema. */
const OPTIONAL = '~optional';

export const Type = {
  String: (options: TStringOptions = {}) => made<TString>({ type: 'string', ...options }),
  Integer: (options: TNumberOptions = {}) => made<TInteger>({ type: 'integer', ...options }),
  Number: (options: TNumberOptions = {}) => made<TNumber>({ type: 'number', ...options }),
  Boolean: (options: TSchemaOptions = {}) => made<TBoolean>({ type: 'boolean', ...options }),
  Literal: <Value extends string>(value: Value) =>
    made<TLiteral<Value>>({ type: 'string', const: value }),
  Array: <Item extends TSchema>(items: Item, options: TArrayOptions = {}) =>
    made<TArray<Item>>({ type: 'array', items, ...options }),
  /** One of them. */
  Union: <Types extends TSchema[]>(anyOf: [...Types], options: TSchemaOptions = {}) =>
    made<TUnion<Types>>({ anyOf, ...options }),
  /** All members are required that are not optional. */
  Object: <Properties extends TProperties>(
    properties: Properties,
    options: TObjectOptions = {},
  ) => {
    const required = Object.keys(properties).filter((name) => !isOptional(properties[name]));
    const needs = required.length === 0 ? {} : { required };
    return made<TObject<Properties>>({ type: 'object', ...needs, properties, ...options });
  },
  /** A member that may be missing. */
  Optional: <Schema extends TSchema>(schema: Schema) =>
    Object.defineProperty({ ...schema }, OPTIONAL, { value: true }) as TOptional<Schema>,
};

/** What a builder wrote is what its type says: the types know marks that no schema carries. */
function made<Schema extends TSchema>(schema: object): Schema {
  return schema as Schema;
}

function isOptional(schema: TSchema | undefined): boolean {
  return schema !== undefined && OPTIONAL in schema;
}
