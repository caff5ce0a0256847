/** The names of request parameters that we may say aloud; whatever else a caller sends is never repeated to anyone. */

const PARAMETERS = [
  'client_id',
  'client_secret',
  'grant_type',
  'scope',
  'resource',
  'token',
  'token_type_hint',
  'client_ip',
  'client_assertion',
  'client_assertion_type',
  'subscription',
  'ping',
  'confirmed',
  'access_token',
] as const;

export type Parameter = (typeof PARAMETERS)[number];

const KNOWN: ReadonlyMap<string, Parameter> = new Map(PARAMETERS.map((name) => [name, name]));

/** The parameter of that name when it is one that the protocol defines, else undefined. */
export function knownParameter(name: string): Parameter | undefined {
  return KNOWN.get(name);
}
