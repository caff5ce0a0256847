/**
 * What the listener takes of `node:http`. Not by `import`: that reads every export of the module, also the one for which Node then loads
 * its WebSocket client: 15 MiB and 50 ms of a process that does nothing else.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
