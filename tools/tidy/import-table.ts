/** Who may import whom: the one table behind the import rules. Change it here, with the reason in ARCHITECTURE.md. */

/**
 * The layers of server/src, lowest first. A layer is a folder there, or a file beside them by its name. It may import
 * itself, `@countersign/protocol`, and the layers listed; tests may import any layer.
 */
export const layers: Readonly<Record<string, readonly string[]>> = {
  ports: [],

  credentials: ['ports'],
  replica: ['ports', 'credentials'],
  journal: ['ports'],
  stores: ['ports'],
  endpoints: ['ports', 'credentials', 'replica'],
  operations: ['ports', 'credentials', 'replica'],

  config: ['ports'],
  observe: ['ports'],
  http: ['ports', 'endpoints', 'operations', 'replica', 'config', 'observe'],
  cli: ['ports', 'credentials', 'operations', 'stores', 'journal', 'http', 'config', 'observe'],

  main: [
    'ports',
    'credentials',
    'replica',
    'journal',
    'stores',
    'endpoints',
    'operations',
    'config',
    'observe',
    'http',
    'cli',
  ],
};

/** The packages of this workspace that a root folder may import by name. A folder that is not listed may import none. */
export const workspacePackages: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  server: ['@countersign/protocol'],
  bench: ['@countersign/protocol', 'countersign'],
};

/** Root folders whose source (tests aside) imports nothing but itself: no package, no `node:` module. */
export const selfContained: readonly string[] = ['protocol'];

/** Root folders that may reach into another package by a relative path; everybody else goes through its name. */
export const mayReachAcross: readonly string[] = ['bench', 'tools'];
