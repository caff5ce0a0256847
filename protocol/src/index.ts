/** The rules of OAuth that Countersign speaks, as pure functions: no I/O, no clock, no randomness, no dependencies. */

export {
  type ActiveToken,
  expiresAtSeconds,
  INACTIVE,
  introspectionAnswer,
  tokenAnswer,
} from './answers.ts';
export {
  type Authorization,
  authorizationOf,
  formWithBasic,
  refuseAuthorization,
} from './authorization.ts';
export { basicCredentials } from './basic.ts';
export {
  type BearerDetail,
  type BearerErrorCode,
  type BearerReason,
  type BearerWire,
  bearerRefusal,
  bearerToken,
  type PresentationReason,
} from './bearer.ts';
export { FORM_PARAMETERS_MAX, type Form, parseForm } from './form.ts';
export { formMediaType } from './media-type.ts';
export { type MetadataSource, metadataDocument, wellKnownPaths } from './metadata.ts';
export { knownParameter, type Parameter } from './parameter.ts';
export {
  bearerInQuery,
  credentialInQuery,
  type QueryCredential,
  queryNames,
  refuseQuery,
} from './query.ts';
export { REASON_CODES, reasonOfCode } from './reason-codes.ts';
export { isRefusal, type Reason, type Refusal, type RefusalOf, refuse } from './refusal.ts';
export {
  chooseResource,
  type DeclaredResource,
  NO_RESOURCE,
  RESOURCE_LENGTH_MAX,
  validResource,
} from './resource.ts';
export {
  canonicalScope,
  grantScope,
  parseScope,
  SCOPE_LENGTH_MAX,
  SCOPE_NAMES_MAX,
  type ScopeGrant,
  validScopeName,
} from './scope.ts';
export {
  type PresentedCredentials,
  parseTokenQueryForm,
  parseTokenRequest,
  type TokenQuery,
  type TokenRequest,
} from './token-request.ts';
export { type ErrorCode, errorBody, type Wire, wireOf } from './wire.ts';
