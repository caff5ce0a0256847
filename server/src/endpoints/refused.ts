/** What is known of a refused request: what was asked, by whom, from where. Public names and ordinals only. */

import type { EndpointName } from '../ports/endpoint-names.ts';

/** What was asked, as far as that is known. */
export type Asked = {
  readonly endpoint: EndpointName;
  readonly environment?: { readonly ordinal: number; readonly name: string };
};

export type RefusedAt = Partial<Asked> & {
  /** As the node counts its requests. */
  readonly requestId: string;
  readonly address: string;
  /** Whoever refuses writes a line that says more. */
  readonly isLoggedElsewhere?: true;
};

/** Who was refused, as far as that is known: public names and ordinals only. */
export type RefusedParty = {
  readonly client?: { readonly ordinal: number; readonly clientId: string } | undefined;
  /** Ordinal of the client's secret that was presented. */
  readonly secret?: number | undefined;
};
