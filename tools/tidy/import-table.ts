/** Who may import whom: the one table behind the import rules. Change it here, with the reason in ARCHITECTURE.md. */

/** What decides, and what it stands on: handed everything, so that it knows no store, no clock and no process. */
const core = ['ports', 'credentials', 'replica', 'endpoints', 'operations'];
/** What touches the world: disk, sockets, the environment, time. */
const edges = [
  'journal',
  'stores',
  'deliveries',
  'http',
  'observe',
  'config',
  'system-clock',
  'version',
  'tick-shape',
];
/** What puts the two together; main.ts and the files beside it that it was cut into. */
const composition = [
  'data-directory',
  'database',
  'migration',
  'backup',
  'probes',
  'routes',
  'authority',
  'operator',
  'run-node',
  'serve',
];

/**
 * The layers of server/src, lowest first. A layer is a folder there, or a file beside them by its name. It may import
 * itself, `@countersign/protocol`, and the layers listed; tests may import any layer.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  ports: [],
  version: [],
  'tick-shape': [],
  'system-clock': ['ports'],

  credentials: ['ports'],
  replica: ['ports', 'credentials'],
  endpoints: ['ports', 'credentials', 'replica'],
  operations: ['ports', 'credentials', 'replica'],
  duties: ['ports', 'credentials', 'operations'],
  handover: ['ports', 'credentials', 'replica', 'endpoints', 'operations'],
  admin: ['ports', 'credentials', 'replica', 'endpoints', 'operations'],

  journal: ['ports'],
  stores: ['ports'],
  observe: ['ports'],
  deliveries: ['ports'],
  http: ['ports', 'endpoints', 'operations', 'replica', 'observe'],
  config: ['ports', 'credentials', 'http'],

  'data-directory': ['ports', 'credentials', 'stores', 'journal', 'config'],
  following: ['ports', 'version', 'credentials', 'replica'],
  database: ['ports', 'stores', 'journal', 'config', 'data-directory'],
  migration: ['ports', 'stores', 'config', 'data-directory', 'database'],
  routes: ['ports', 'version', 'endpoints', 'operations', 'handover', 'admin', 'http', 'config'],
  probes: ['ports', 'operations', 'stores', 'http', 'config', 'system-clock', 'data-directory'],
  backup: [
    'ports',
    'credentials',
    'stores',
    'journal',
    'config',
    'version',
    'data-directory',
    'database',
  ],
  authority: [...core, ...edges, 'data-directory', 'following', 'routes'],
  'in-process': [
    'ports',
    'credentials',
    'endpoints',
    'config',
    'system-clock',
    'data-directory',
    'database',
    'following',
  ],
  operator: [...core, ...edges, 'database'],
  'run-node': [...core, 'duties', 'admin', ...edges, 'probes', 'routes', 'authority'],
  serve: ['config', 'credentials', 'database', 'http', 'observe', 'system-clock', 'run-node'],
  cli: ['ports', 'credentials', 'operations', ...edges, ...composition],
  main: [...core, 'duties', 'admin', ...edges, ...composition, 'cli'],
};

/** The packages of this workspace that a root folder may import by name. A folder that is not listed may import none. */
export const workspacePackages: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  server: ['@countersign/protocol'],
  client: [],
  'resource-server': ['@countersign/protocol'],
  examples: [
    '@countersign/protocol',
    '@countersign/client',
    '@countersign/resource-server',
    // Its one door, countersign/in-process, for services that share the store.
    'countersign',
  ],
  bench: ['@countersign/protocol', 'countersign'],
  // As a partner's server does, which installs it.
  conformance: ['@countersign/client'],
};

/** Root folders whose source (tests aside) imports nothing but itself: no package, no `node:` module. */
export const selfContained: readonly string[] = ['protocol'];

/** Root folders that may reach into another package by a relative path; everybody else goes through its name. */
export const mayReachAcross: readonly string[] = ['bench', 'simulation', 'tools'];

/** Root folders that nobody installs: what is there for tests starts real servers and databases for them as well. */
export const mayUseTestParts: readonly string[] = ['bench'];
