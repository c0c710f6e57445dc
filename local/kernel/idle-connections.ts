import type { Server } from 'node:http';

/** Node's five seconds would end a connection at the moment at which a client that has rested uses it again. */
export function keepIdleConnections(server: Server): void {
  server.keepAliveTimeout = 0;
}
