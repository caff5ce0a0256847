/** Which endpoint stands where: below each issuer's path (and host, where it has one of its own), and at a listener's root. */

import { credentialInQuery, wellKnownPaths } from '@countersign/protocol';
import { ADMIN_ROUTES } from './admin/admin-api.ts';
import { type AdminDeps, adminEndpoint } from './admin/endpoint.ts';
import { openApiDocument } from './admin/openapi.ts';
import { newPartnerPace } from './admin/partner-pace.ts';
import type { Authority } from './endpoints/context.ts';
import { reportExposure } from './endpoints/exposures.ts';
import { githubAlertsEndpoint, type SignerKeys } from './endpoints/github-alerts.ts';
import { live, readyEndpoint } from './endpoints/health.ts';
import { introspectEndpoint } from './endpoints/introspect.ts';
import { leaksEndpoint } from './endpoints/leaks.ts';
import { metadataEndpoint } from './endpoints/metadata.ts';
import { pingEndpoint, revocationsEndpoint } from './endpoints/revocations.ts';
import { revokeEndpoint } from './endpoints/revoke.ts';
import { tokenEndpoint } from './endpoints/token.ts';
import { verifyEndpoint } from './endpoints/verify.ts';
import { type ClaimPageParts, claimEndpoint } from './handover/claim-endpoint.ts';
import { blockTest } from './http/addresses.ts';
import type { Handler } from './http/exchange-flow.ts';
import type { Route } from './http/router.ts';
import type { EndpointName } from './ports/endpoint-names.ts';
import { type EnvironmentRecord, OPERATORS } from './ports/model.ts';
import { VERSION } from './version.ts';

/** A scanner may have found a thousand credentials in one commit. */
const ALERTS_BYTES_MAX = 512 * 1024;

export function publicRoutes(
  authority: Authority,
  environments: readonly EnvironmentRecord[],
  options: Pick<ClaimPageParts, 'contextOf'> & {
    readonly gateways: readonly string[];
    readonly githubKeys?: SignerKeys | undefined;
  },
): readonly Route[] {
  const { contextOf, gateways, githubKeys } = options;
  const isGateway = blockTest(gateways);
  return [
    ...healthRoutes(authority),
    ...environments
      .filter(({ name }) => name !== OPERATORS.environment)
      .flatMap((environment) => [
        ...issuerRoutes(authority, environment, environments),
        ...leakRoutes(authority, environment, { all: environments, githubKeys }),
        verifyRoute(authority, environment, { all: environments, isGateway }),
        claimRoute({ authority, contextOf }, environment, environments),
      ]),
  ];
}

/** Of the admin listener: health, the issuer of operators' tokens, and the admin API. */
export function adminRoutes(
  deps: Omit<AdminDeps, 'base' | 'partnerPace'>,
  environment: EnvironmentRecord,
): readonly Route[] {
  const { authority } = deps;
  const base = apiPathOf(environment);
  const asked = { endpoint: 'admin' as const, environment };
  const parts = { ...deps, base, partnerPace: newPartnerPace() };
  const methods = new Map<string, Route['methods']>();
  for (const row of ADMIN_ROUTES) {
    methods.set(row.path, {
      ...methods.get(row.path),
      [row.method]: adminEndpoint(parts, row),
    });
  }
  return [
    ...healthRoutes(authority),
    ...issuerRoutes(authority, environment, [environment]),
    { asked, path: `${base}/openapi.json`, methods: { GET: descriptionEndpoint(environment) } },
    ...[...methods].map(([path, handlers]) => ({
      ...{ asked, path: `${base}${path}`, methods: handlers },
    })),
  ];
}

/** Where the admin API stands: beside the endpoints of the operators' issuer. */
function apiPathOf({ issuer }: Pick<EnvironmentRecord, 'issuer'>): string {
  return `${new URL(issuer).pathname.replace(/\/+$/, '')}/v1`;
}

function descriptionEndpoint({ issuer }: EnvironmentRecord): Handler {
  const body = JSON.stringify(openApiDocument(ADMIN_ROUTES, { issuer, version: VERSION }));
  return () => ({ status: 200, body });
}

/** For both listeners: whoever watches a process looks at one of them. */
function healthRoutes(authority: Authority): readonly Route[] {
  return [
    { path: '/health/live', isProbe: true, methods: { GET: live } },
    { path: '/health/ready', isProbe: true, methods: { GET: readyEndpoint(authority) } },
  ];
}

function verifyRoute(
  authority: Authority,
  environment: EnvironmentRecord,
  among: {
    readonly all: readonly EnvironmentRecord[];
    readonly isGateway: (address: string) => boolean;
  },
): Route {
  const { path, about } = placeOf(environment, among.all);
  return {
    ...about('verify'),
    path: `${path}/verify`,
    methods: { ANY: verifyEndpoint(authority, environment, among.isGateway) },
  };
}

/** Where a partner is shown its secret. Operators hand theirs to each other. */
function claimRoute(
  parts: ClaimPageParts,
  environment: EnvironmentRecord,
  all: readonly EnvironmentRecord[],
): Route {
  const { path, about } = placeOf(environment, all);
  return {
    ...about('claim'),
    path: `${path}/claim/{claim}/{code}`,
    methods: claimEndpoint(parts, environment.ordinal),
  };
}

function issuerRoutes(
  authority: Authority,
  environment: EnvironmentRecord,
  all: readonly EnvironmentRecord[],
): readonly Route[] {
  const { path, about } = placeOf(environment, all);
  // `GET /token?client_secret=…` is how most secrets come to stand in URLs.
  const onWrongMethod = (query: string): void => {
    const exposed = credentialInQuery(query);
    if (exposed !== undefined) reportExposure(authority, exposed);
  };
  return [
    {
      ...about('token'),
      onWrongMethod,
      path: `${path}/token`,
      methods: { POST: tokenEndpoint(authority, environment) },
    },
    {
      ...about('introspect'),
      onWrongMethod,
      path: `${path}/introspect`,
      methods: { POST: introspectEndpoint(authority, environment) },
    },
    {
      ...about('revoke'),
      onWrongMethod,
      path: `${path}/revoke`,
      methods: { POST: revokeEndpoint(authority, environment) },
    },
    {
      ...about('revocations'),
      path: `${path}/revocations`,
      methods: { GET: revocationsEndpoint(authority, environment) },
    },
    {
      ...about('revocations'),
      path: `${path}/revocations/ping`,
      methods: { POST: pingEndpoint(authority, environment) },
    },
    ...wellKnownPaths(environment.issuer).map((wellKnown) => ({
      ...about('metadata'),
      path: wellKnown,
      methods: { GET: metadataEndpoint(authority, environment.ordinal) },
    })),
  ];
}

function leakRoutes(
  authority: Authority,
  environment: EnvironmentRecord,
  options: {
    readonly all: readonly EnvironmentRecord[];
    readonly githubKeys: SignerKeys | undefined;
  },
): readonly Route[] {
  const { all, githubKeys } = options;
  const { path, about } = placeOf(environment, all);
  const intake: Route = {
    ...about('leaks'),
    path: `${path}/leaks`,
    methods: { POST: leaksEndpoint(authority, environment) },
  };
  if (githubKeys === undefined) return [intake];
  const alerts = githubAlertsEndpoint(authority, environment, githubKeys);
  return [
    intake,
    {
      ...about('leaks'),
      path: `${path}/leaks/github`,
      bodyBytesMax: ALERTS_BYTES_MAX,
      methods: { POST: alerts },
    },
  ];
}

/** What stands before the paths of an issuer, and what its routes have in common. */
function placeOf(environment: EnvironmentRecord, all: readonly EnvironmentRecord[]) {
  const { hostname, pathname } = new URL(environment.issuer);
  // Two issuers on the same path are told apart by their hosts; otherwise the host a request names does not matter.
  const shares = all.filter((one) => new URL(one.issuer).pathname === pathname).length > 1;
  return {
    path: pathname.replace(/\/+$/, ''),
    about: (endpoint: EndpointName) => ({
      ...(shares ? { host: hostname } : {}),
      asked: { endpoint, environment },
    }),
  };
}
