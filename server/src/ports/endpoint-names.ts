/** The endpoints by name, and the number of each in the ids of refused requests. Append-only: a number is never given to another name. */

export const ENDPOINT_CODES = {
  /** None: refused before it was clear which, or nothing stands there. */
  '': 0,
  token: 1,
  introspect: 2,
  revoke: 3,
  metadata: 4,
  health: 5,
  leaks: 6,
  claim: 7,
  verify: 8,
  admin: 9,
  revocations: 10,
} as const;

export type EndpointName = keyof typeof ENDPOINT_CODES;

const BY_CODE: ReadonlyMap<number, EndpointName> = new Map(
  Object.entries(ENDPOINT_CODES).map(([name, code]) => [code, name as EndpointName]),
);

/** The endpoint of a number; undefined for one that this version does not know. */
export function endpointOfCode(code: number): EndpointName | undefined {
  return BY_CODE.get(code);
}
