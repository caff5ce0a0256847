/** Whether a value is as a JSON Schema says, for the few words that the description of the Banking API uses; another word is an error. */

export type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false;
  readonly items?: Schema;
  readonly format?: string;
  readonly description?: string;
};

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
};

/** What is not as it should be, by its place; undefined: nothing. */
export function mismatch(
  value: unknown,
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
): string | undefined {
  const { $ref, type, enum: some, required = [], properties, additionalProperties } = schema;
  const { items, format, description: _, const: only, ...unknown } = schema;
  if (Object.keys(unknown).some((word) => !WORDS.has(word))) return 'a word that is not known';
  const named = $ref === undefined ? undefined : schemas[$ref.replace(/^.*\//, '')];
  if ($ref !== undefined && named === undefined) return `${$ref} is not there`;
  const inNamed = named && mismatch(value, named, schemas);
  if (inNamed !== undefined) return inNamed;
  if (type !== undefined && typeOf(value) !== type) return `is no ${type}`;
  if (some !== undefined && !some.includes(value)) return `is none of ${some.join(', ')}`;
  if ('const' in schema && value !== only) return `is not ${only}`;
  if (format !== undefined && FORMATS[format]?.test(String(value)) !== true) return format;
  for (const [index, item] of items && Array.isArray(value) ? value.entries() : []) {
    const inItem = mismatch(item, items ?? {}, schemas);
    if (inItem !== undefined) return `${index}: ${inItem}`;
  }
  const members = Object(value) as Readonly<Record<string, unknown>>;
  const missing = required.find((name) => !Object.hasOwn(members, name));
  if (missing !== undefined) return `${missing} is missing`;
  for (const [name, of] of Object.entries(properties ?? {})) {
    const inMember = Object.hasOwn(members, name) && mismatch(members[name], of, schemas);
    if (typeof inMember === 'string') return `${name}: ${inMember}`;
  }
  if (additionalProperties !== false) return undefined;
  return Object.keys(members).find((name) => !Object.hasOwn(properties ?? {}, name));
}

const WORDS = new Set(['$ref', 'type', 'enum', 'required', 'properties', 'additionalProperties']);

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
