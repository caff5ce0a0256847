/**
 * What lies behind each reason, what to check, and what to tell the partner: one entry a reason, so that the compiler misses the one that
 * is left out. Words only; for `countersign explain` and the page of errors.
 */

import type { Reason } from '@countersign/protocol';

export type ExplainedReason = {
  readonly cause: string;
  readonly check: string;
  /** For support to say. It gives away what the answer hid on purpose, so it is for the owner of the credentials alone. */
  readonly tell: string;
};

const outage = (cause: string, where: string, tell: string): ExplainedReason => ({
  cause,
  check: `Repeat the request after \`Retry-After\`. Operators: ${where}`,
  tell,
});

export const explainedReasons: { readonly [R in Reason]: ExplainedReason } = {
  'unknown-client': {
    cause: 'No client has this `client_id`.',
    check: 'Is it complete, with its upper and lower case? `countersign client list` shows them.',
    tell: 'The authority does not know the `client_id` that was sent. Compare it, character by character, with the one that you were given.',
  },
  'wrong-secret': {
    cause: 'The client exists, the secret is not one of its secrets.',
    check:
      'Is the secret whole (49 characters after the second underscore), percent-encoded, and of this client?',
    tell: 'The `client_id` is right and the secret is not one of its secrets. Load the secret again from where you keep it; if it is lost, ask for a new one.',
  },
  'expired-secret': {
    cause: 'The secret was right and its time is over, by its own expiry or after a rotation.',
    check: 'Deploy the newer secret. `countersign secret list CLIENT_ID` shows when each one ends.',
    tell: 'The secret that was sent has ended. Use the newer one; if you have none, ask for one.',
  },
  'revoked-secret': {
    cause: 'The secret was right and has been revoked.',
    check: 'Deploy another one: `countersign secret create CLIENT_ID`.',
    tell: 'The secret that was sent was withdrawn. Use the newer one; if you have none, ask for one.',
  },
  'suspended-client': {
    cause: 'The client is suspended.',
    check: '`countersign client show CLIENT_ID` shows the reason.',
    tell: 'This client is stopped at present. (Why is in the audit trail: decide what may be said.)',
  },
  'suspended-program': {
    cause: 'The program of the client is suspended.',
    check: '`countersign program show PROGRAM_ID` shows the reason.',
    tell: 'Access of your organisation is stopped at present. (Why is in the audit trail: decide what may be said.)',
  },
  'deleted-client': {
    cause: 'The client was deleted; that cannot be undone.',
    check: 'Is an old configuration still in use? Use the credentials of a client that exists.',
    tell: 'This client exists no more. Use the credentials of the one that replaced it.',
  },
  'address-not-allowed': {
    cause: 'The request came from an address outside the allow-list of the client.',
    check: 'Which address does the request leave from? Behind a proxy: is the proxy declared?',
    tell: 'The request came from an address that you have not registered. Tell us the addresses that you call from.',
  },
  'address-unknown': {
    cause:
      'Tokens of this client are good from its own addresses only, and the resource server did not say who presented one.',
    check: 'Does the resource server send `client_ip` to `/introspect`?',
    tell: 'Nothing: this is ours to mend.',
  },
  'other-environment': {
    cause: 'The tag in the `client_id` is that of another environment.',
    check: 'Pair each URL with the credentials of its environment; the answer names the right URL.',
    tell: 'These credentials belong to another environment. Use the URL and the credentials of one and the same.',
  },
  'missing-client-secret': {
    cause: 'The form holds no `client_secret`, or an empty one.',
    check: 'Is the variable set from which your program reads it?',
    tell: 'The request carried no secret. The setting or variable that your program reads it from is likely empty.',
  },
  'missing-credentials': {
    cause: 'Neither credentials in the form nor a scheme that is taken here.',
    check: 'Send `client_id` and `client_secret` as form parameters.',
    tell: 'The request carried no credentials. Send `client_id` and `client_secret` in the form body.',
  },
  'basic-not-offered': {
    cause: 'The credentials came in an `Authorization: Basic` header.',
    check: 'Set your client library to `client_secret_post`.',
    tell: 'Credentials belong in the form body, not in the Authorization header: set your library to client_secret_post.',
  },
  'malformed-basic': {
    cause:
      'Basic is taken here (policy `basic-authentication`), but the header holds no `client_id` and `client_secret`: no base64, no colon, or nothing after it.',
    check:
      'Is the variable set from which your program reads the secret? Better: `client_secret_post`.',
    tell: 'The Authorization header held no complete credentials: the secret is likely empty. Set your library to client_secret_post.',
  },
  'two-authentications': {
    cause: 'An `Authorization` header beside credentials in the form, or two such headers.',
    check: 'Does a proxy or an HTTP library add the header?',
    tell: 'The request authenticated in two ways at once. Send credentials in the form body only.',
  },
  'malformed-token': {
    cause: 'A bearer token stands in the `Authorization` header and is none.',
    check: 'Leave that header out at these endpoints.',
    tell: 'The request carried an Authorization header that is none. Leave it out here.',
  },
  'credentials-in-query': {
    cause: 'A client secret stands in the URL. If it is a live one, it is flagged as exposed.',
    check: 'Rotate the secret: it stands in logs by now. Send it in the body.',
    tell: 'Your program put a secret into the URL. Treat the secret as leaked: rotate it, and send it in the body.',
  },
  'token-in-query': {
    cause: 'An access token stands in the URL. If it is a live one, it is revoked.',
    check: 'Get a new token; send it in the body.',
    tell: 'Your program put a token into the URL. That token is leaked: get a new one, and send it in the body.',
  },
  'no-token': {
    cause: 'A gateway asked about a call that carries no access token.',
    check: 'Does the call have an `Authorization: Bearer` header, and does the gateway pass it on?',
    tell: 'Your call of the API carried no access token. Send it in the header: `Authorization: Bearer`, one space, the token.',
  },
  'unknown-token': {
    cause: 'What was presented is no token of this environment.',
    check: 'Is it whole, and of this environment? `countersign token inspect -` tells.',
    tell: 'The API was given something that is no access token of this environment. Get a new token and send it unchanged.',
  },
  'revoked-token': {
    cause:
      'The token was revoked, or its secret, client or program was stopped after it was issued.',
    check: '`countersign client report CLIENT_ID --since 7d` shows what happened.',
    tell: 'The token that was sent is not good any more. Get a new one; if that is refused, tell us.',
  },
  'expired-token': {
    cause: 'The lifetime of the token is over.',
    check: 'Does the partner get a new token in time?',
    tell: 'The token that was sent has expired. Get a new one and repeat the call.',
  },
  'token-of-another-resource': {
    cause: 'The token is good for another resource than the one that the gateway guards.',
    check: 'Which `resource` does the partner ask for, and which does the gateway name?',
    tell: 'The token is for another API. Ask for one with the `resource` of this API.',
  },
  'insufficient-scope': {
    cause: 'The token is good and lacks a scope that the gateway demands.',
    check: '`countersign client show CLIENT_ID` shows what the client may ask for.',
    tell: 'The token lacks a scope that this call needs. Ask for it at /token.',
  },
  'not-a-gateway': {
    cause: 'Somebody who is no declared gateway asked `/verify`.',
    check:
      'Is the address of the gateway declared (`--gateway`), or does it send its credentials? Through a declared proxy credentials alone count.',
    tell: 'That endpoint is for the gateways of the bank. Call the API itself.',
  },
  'gateway-misconfigured': {
    cause:
      "The query of a gateway's question names something unknown, something twice, or a scope that is none.",
    check:
      'It may hold `scope`, `resource` and `mode`. Compare with the configuration that is shipped.',
    tell: 'The fault is on our side, in the configuration of a gateway. We mend it.',
  },
  'token-of-another-client': {
    cause:
      'The token to revoke is alive and belongs to another client. It stays alive; the audit trail notes it.',
    check: 'A client revokes its own tokens only. Report a token that you found to support.',
    tell: 'You asked to revoke a token that is not yours. How did you come by it? We will look after it.',
  },
  'unsupported-grant': {
    cause: '`grant_type` is anything but `client_credentials`, case included.',
    check: 'There is this one grant.',
    tell: 'grant_type must be client_credentials.',
  },
  'scope-malformed': {
    cause: '`scope` does not follow RFC 6749 §3.3, or is too long.',
    check: 'Names with one space between them, in the form once.',
    tell: 'The scope parameter is malformed. Write the names with one space between them.',
  },
  'scope-not-allowed': {
    cause:
      'At least one of the names is not among those of the client. Nothing is granted in part.',
    check: '`countersign client show CLIENT_ID` lists them. Names are case-sensitive.',
    tell: 'You asked for a scope that your client does not have. Leave scope out, or ask us for it.',
  },
  'scope-too-many-combinations': {
    cause: 'The client has used as many different combinations of scopes as one client may.',
    check: 'Ask for the same few combinations each time.',
    tell: 'Ask for the same few combinations of scopes each time.',
  },
  'claim-unknown': {
    cause: 'No claim has this id and this code in this environment.',
    check:
      'Whether the link was cut short on its way. `countersign claim list` shows what there is.',
    tell: 'The link is not complete, or not one of ours. Check it, or ask for a new one.',
  },
  'claim-ended': {
    cause:
      'The claim has run out, was revoked or replaced, got five wrong passphrases, or its client was deleted.',
    check: '`countersign claim show CLAIM_ID` says which. Make another one.',
    tell: 'The link has ended. You will get a new one.',
  },
  'claim-used': {
    cause: 'The secret of the claim was shown already.',
    check:
      '`countersign claim show CLAIM_ID` says when and to which address. Was it not the partner, revoke the secret with its tokens.',
    tell: 'The link was used. If that was not you, stop the secret with the button on its page.',
  },
  'claim-on-hold': {
    cause:
      'The client or its program is suspended, or the client has as many live secrets as it may have.',
    check: '`countersign client show CLIENT_ID`. The claim stays good until it runs out.',
    tell: 'No secret can be made for your client now; keep the link.',
  },
  'claim-passphrase': {
    cause: 'The passphrase that belongs to the claim was wrong. The fifth time ends the claim.',
    check:
      '`countersign claim show CLAIM_ID` counts them. Several from a strange address: somebody else has the link.',
    tell: 'The passphrase was wrong. It came to you apart from the link.',
  },
  'claim-cross-site': {
    cause: 'The form of the claim page was sent from a page of another site.',
    check: 'Who links there, and why.',
    tell: 'Open the link itself and press the button there.',
  },
  'resource-malformed': {
    cause: 'A `resource` is no absolute URI, has a fragment, or is longer than 512 characters.',
    check: 'Copy the URI as it was declared.',
    tell: 'The resource parameter is no absolute URI.',
  },
  'resource-unknown': {
    cause: 'The `resource` is not among those of the client.',
    check: 'URIs are compared character by character: slashes, case and port count.',
    tell: 'You asked for a resource that your client does not have. Copy its URI exactly.',
  },
  'resource-repeated': {
    cause: 'More than one `resource` in one request.',
    check: 'Get one token for each.',
    tell: 'Ask for one resource at a time.',
  },
  'resource-ambiguous': {
    cause: 'The client has several resources and the request names none.',
    check: 'Add `resource`.',
    tell: 'Name one of your resources in the resource parameter.',
  },
  'client-ip-malformed': {
    cause: '`client_ip` is not an IPv4 or IPv6 address.',
    check: 'Send the one address that presented the token, without a port.',
    tell: 'client_ip must be one address.',
  },
  'missing-parameter': {
    cause: 'The parameter is absent or empty.',
    check: 'An empty value counts as absent.',
    tell: 'A parameter is missing; the answer named it.',
  },
  'repeated-parameter': {
    cause:
      'A parameter stands in the form twice. Only `resource` may, and then it is refused for other reasons.',
    check: 'Does the program add to a form that holds it already?',
    tell: 'A parameter stands in the form twice; the answer named it.',
  },
  'parameter-in-query-and-body': {
    cause: 'A parameter stands in the URL and in the form.',
    check: 'Take it out of the URL.',
    tell: 'A parameter stands both in the URL and in the form: take it out of the URL.',
  },
  'malformed-form': {
    cause:
      'A broken percent escape, bytes that are not UTF-8, a NUL, or characters that must be escaped.',
    check: 'Use the form encoder of your HTTP library.',
    tell: 'The form is not encoded properly: use the form encoder of your HTTP library.',
  },
  'too-many-parameters': {
    cause: 'More than 64 parameters.',
    check: 'Three or four are enough.',
    tell: 'The form has far too many parameters.',
  },
  'unsupported-media-type': {
    cause: 'The body is not declared as a form; JSON, for example.',
    check: 'The `Content-Type` header.',
    tell: 'Send a form (application/x-www-form-urlencoded), not JSON.',
  },
  'unsupported-charset': {
    cause: '`Content-Type` names a charset other than UTF-8, or two.',
    check: 'The `Content-Type` header.',
    tell: 'The form must be UTF-8.',
  },
  'unsupported-encoding': {
    cause: 'The body is compressed.',
    check: 'Switch request compression off.',
    tell: 'Switch request compression off.',
  },
  'method-not-allowed': {
    cause: 'The path exists; the method does not.',
    check: 'The three endpoints of RFC 6749, 7662 and 7009 take POST.',
    tell: 'The endpoint was called with the wrong method: /token takes POST.',
  },
  'not-found': {
    cause: 'No endpoint stands at this path, compared character by character.',
    check: 'The issuer is part of it: `/sandbox/token`, not `/token`.',
    tell: 'The URL is wrong. Copy the token URL from the guide, with the environment in it.',
  },
  'too-large': {
    cause: 'The body is longer than 8 KiB.',
    check: 'What else is in it?',
    tell: 'The request was too large.',
  },
  timeout: {
    cause: 'The request did not arrive within `requestTimeoutMs` (10 s by default).',
    check: 'The network; a `Content-Length` larger than the body.',
    tell: 'The request did not arrive in time: look at the network, or at a Content-Length that is too large.',
  },
  'plain-http': {
    cause: 'The proxy in front says that the caller came by plain HTTP (`X-Forwarded-Proto`).',
    check: 'Use https. Rotate a secret that was sent this way. There is no redirect, on purpose.',
    tell: 'The request came over plain HTTP. Use https, and have the secret rotated.',
  },
  'malformed-message': {
    cause:
      'The message breaks HTTP: framing, a missing or repeated Host, a header that must stand once.',
    check: 'What rewrites the request on its way? The connection is closed.',
    tell: 'Something between you and us sends malformed HTTP. Which proxy or gateway does the request pass?',
  },
  'headers-too-large': {
    cause: 'The headers are longer than 16 KiB together.',
    check: 'Cookies and tracing headers that do not belong here.',
    tell: 'The request headers are too large. Which cookies or tracing headers does your program add?',
  },
  'untrusted-peer': {
    cause: '`trustedProxies` is set and the request did not come through one of them.',
    check: 'Operators: the addresses in `--trusted-proxy`.',
    tell: 'The request went to an inner address. Use the public URL.',
  },
  'malformed-forwarding': {
    cause:
      'A declared proxy sent an `X-Forwarded-For` that is no list of addresses, or more than 16 of them.',
    check: 'Operators: the proxy should set or append to this header, and nobody else.',
    tell: 'Nothing: this is ours to mend.',
  },
  'report-malformed': {
    cause: 'A report to `/leaks` held no credential, more than 50, or not in the documented form.',
    check:
      'The parameter `credentials`: a form field, or a JSON array of texts. For GitHub: an array of alerts.',
    tell: 'Send the parameter credentials, in a form or in JSON.',
  },
  'signature-invalid': {
    cause: 'An alert to `/leaks/github` was not signed by a key of the scanner.',
    check: 'The setting `githubKeys`. Is the raw body altered on its way?',
    tell: 'Whoever cannot sign reports to /leaks.',
  },
  'too-many-reports': {
    cause: 'This address sent more than 30 reports at once, or more than one a second since.',
    check: 'One report may hold 50 credentials.',
    tell: 'Send many credentials in one report.',
  },
  'signer-keys-unavailable': outage(
    'The keys of the scanner could not be had, so that its signature could not be checked.',
    'the setting `githubKeys`: can this machine fetch or read them?',
    'We had an outage. The alert will be taken when it is sent again.',
  ),
  'quota-reached': {
    cause: 'The client has had as many tokens this hour as its quota allows.',
    check:
      'Does the partner keep a token and use it until it expires? `countersign client update ID --token-quota N` changes the quota.',
    tell: 'Your program asks for a new token each time. Keep one and use it until it expires.',
  },
  throttled: {
    cause:
      'Too many failed attempts: by this address with this client, or by this address altogether.',
    check: 'Wait as long as `Retry-After` says, and mend the credentials first.',
    tell: 'Too many failed attempts came from your address. Mend the credentials, then wait as long as Retry-After said.',
  },
  overloaded: outage(
    'More requests at once than a node takes, or a decision that changes kept overtaking.',
    'more workers or machines.',
    'We were overloaded for a moment. Repeat the request after Retry-After; nothing is wrong with it.',
  ),
  'store-unavailable': outage(
    'The database or the journal cannot be used, or not every node has confirmed a revocation in time.',
    '`countersign doctor`, free space, and the lines before this one in the log.',
    'We had an outage. Repeat the request after Retry-After; nothing is wrong with it.',
  ),
  'lease-lost': outage(
    'The node has had no news from the store for a whole lease.',
    '`countersign nodes`; the log lines "no news from the store" say why.',
    'We had an outage. Repeat the request after Retry-After; nothing is wrong with it.',
  ),
  'internal-error': {
    cause: 'A fault in the authority. Nothing was granted.',
    check:
      'The log line "a request failed" with the same request id holds the stack. Please report it.',
    tell: 'We failed, and nothing was granted. Repeating the request may help; we are looking into it.',
  },
};
