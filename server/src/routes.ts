/** Which endpoint stands where: below each issuer's path (and host, where it has one of its own), and at a listener's root. */

import { wellKnownPaths } from '@countersign/protocol';
import type { Authority } from './endpoints/context.ts';
import { live, readyEndpoint } from './endpoints/health.ts';
import { introspectEndpoint } from './endpoints/introspect.ts';
import { metadataEndpoint } from './endpoints/metadata.ts';
import { revokeEndpoint } from './endpoints/revoke.ts';
import { tokenEndpoint } from './endpoints/token.ts';
import type { Route } from './http/router.ts';
import type { EndpointName } from './ports/endpoint-names.ts';
import type { EnvironmentRecord } from './ports/model.ts';

export function publicRoutes(
  authority: Authority,
  environments: readonly EnvironmentRecord[],
): readonly Route[] {
  return [
    ...healthRoutes(authority),
    ...environments.flatMap((environment) => issuerRoutes(authority, environment, environments)),
  ];
}

/** For both listeners: whoever watches a process looks at one of them. */
export function healthRoutes(authority: Authority): readonly Route[] {
  return [
    { path: '/health/live', isProbe: true, methods: { GET: live } },
    { path: '/health/ready', isProbe: true, methods: { GET: readyEndpoint(authority) } },
  ];
}

function issuerRoutes(
  authority: Authority,
  environment: EnvironmentRecord,
  all: readonly EnvironmentRecord[],
): readonly Route[] {
  const { hostname, pathname } = new URL(environment.issuer);
  const path = pathname.replace(/\/+$/, '');
  // Two issuers on the same path are told apart by their hosts; otherwise the host a request names does not matter.
  const shares = all.filter((one) => new URL(one.issuer).pathname === pathname).length > 1;
  const about = (endpoint: EndpointName) => ({
    ...(shares ? { host: hostname } : {}),
    asked: { endpoint, environment },
  });
  return [
    {
      ...about('token'),
      path: `${path}/token`,
      methods: { POST: tokenEndpoint(authority, environment) },
    },
    {
      ...about('introspect'),
      path: `${path}/introspect`,
      methods: { POST: introspectEndpoint(authority, environment) },
    },
    {
      ...about('revoke'),
      path: `${path}/revoke`,
      methods: { POST: revokeEndpoint(authority, environment) },
    },
    ...wellKnownPaths(environment.issuer).map((wellKnown) => ({
      ...about('metadata'),
      path: wellKnown,
      methods: { GET: metadataEndpoint(authority, environment.ordinal) },
    })),
  ];
}
