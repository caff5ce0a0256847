/** Reads what all three POST endpoints read first: the form with the credentials of the header where those are taken, and what must not stand beside it. */

import {
  credentialInQuery,
  type Form,
  formMediaType,
  formWithBasic,
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
  const inBoth = refuseQuery(incoming.query, form);
  if (inBoth !== undefined) return inBoth;
  const { authorization } = incoming;
  if (authorization.length === 0) return form;
  if (takesBasic(authority)) return formWithBasic(authorization, form);
  return refuseAuthorization(authorization, form) ?? form;
}

/** Whether credentials may stand in an Authorization header: an installation's own decision, off unless it was made. */
export function takesBasic({ replica }: Pick<Authority, 'replica'>): boolean {
  return replica.policy('basic-authentication') === 'on';
}
