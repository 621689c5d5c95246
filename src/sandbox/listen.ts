import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

/** A server of the sandbox. */
export interface Listening {
  /** `http://127.0.0.1:PORT`, no slash at the end. */
  readonly origin: string;
  /** Ends all connections, also those in flight; resolves when the port is free. */
  close(): Promise<void>;
}

/** Serves an app on loopback only; port 0 takes a free one. Raises what the system raises, a busy port for instance. */
export function listen(app: Express, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = app.listen(port, '127.0.0.1');
    server.once('error', reject);
    server.once('listening', () => {
      const address = server.address() as AddressInfo;
      resolve({
        origin: `http://127.0.0.1:${address.port}`,
        close: () =>
          new Promise<void>((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
