import { connect, createServer, type Socket } from 'node:net';

/** A network between a store and its database that loses the answer to a COMMIT: the worst moment that there is. */
export interface CuttingProxy {
  /** The URL of the database, through the proxy. */
  readonly url: string;
  /** The next COMMIT is passed on; its connection breaks before the answer. */
  cutNextCommit(): void;
  readonly cuts: () => number;
  close(): Promise<void>;
}

export async function startCuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const { port: databasePort, hostname } = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let armed = false;
  let cuts = 0;
  const server = createServer((client) => {
    const database = connect(Number(databasePort), hostname);
    let isCut = false;
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          client.destroy();
          database.destroy();
        });
    }
    client.on('data', (chunk) => {
      // The whole statement, with its end: READ COMMITTED begins a transaction.
      if (armed && chunk.includes('COMMIT\0')) {
        armed = false;
        isCut = true;
        cuts++;
      }
      database.write(chunk);
    });
    database.on('data', (chunk) => (isCut ? client.destroy() : client.write(chunk)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  const through = new URL(databaseUrl);
  through.port = String(port);
  return {
    url: through.href,
    cutNextCommit() {
      armed = true;
    },
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
