/**
 * What the listener takes of `node:http`. Not by `import`: that reads every export of the module, also the one for which Node then loads
 * its WebSocket client, 15 MiB and 50 ms of each start.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');
