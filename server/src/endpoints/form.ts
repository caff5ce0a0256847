/** Reads what all three POST endpoints read first: the form, and what must not stand beside it. */

import {
  credentialInQuery,
  type Form,
  formMediaType,
  isRefusal,
  parseForm,
  type Refusal,
  refuseAuthorization,
  refuseQuery,
} from '@countersign/protocol';
import type { Authority } from './context.ts';
import type { Incoming } from './exchange.ts';
import { reportExposure } from './exposures.ts';

/** The form of a request, or why it is refused. A credential in the URL is reported on the way: it is in somebody's log by now. */
export function readForm(authority: Authority, incoming: Incoming): Form | Refusal {
  if (incoming.query !== '') {
    const exposed = credentialInQuery(incoming.query);
    if (exposed !== undefined) reportExposure(authority, exposed);
    const inUrl = refuseQuery(incoming.query);
    if (inUrl !== undefined) return inUrl;
  }
  const media = formMediaType(incoming.contentType);
  if (isRefusal(media)) return media;
  const form = parseForm(incoming.body);
  if (isRefusal(form)) return form;
  return (
    refuseQuery(incoming.query, form) ?? refuseAuthorization(incoming.authorization, form) ?? form
  );
}
