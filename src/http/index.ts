import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import { Failure } from '../core/failure.ts';
import type { Log } from '../core/ports.ts';
import { type ApiOptions, createApi } from './api.ts';
import { requireKnownHost, requireToken } from './auth.ts';
import { watchEventLoop } from './event-loop.ts';
import { type Check, createHealth } from './health.ts';
import type { Metrics } from './metrics.ts';
import { handleErrors, notFound } from './problem.ts';

/** The gateway's own HTTP server: health, metrics and the API of the studies. */

export type { ApiOptions, StateChange } from './api.ts';
export { createGatewayMetrics, type GatewayMetrics } from './gateway-metrics.ts';
export type { Check, CheckResult } from './health.ts';
export { type Counter, createMetrics, type Histogram, type Labels, type Metrics, type Sample } from './metrics.ts';
export { type HttpOptions, httpOptionsSchema } from './options.ts';
export { createProviderStatus, type ProviderStatus } from './provider-status.ts';

export interface HttpServerOptions extends ApiOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Of 16 characters at least; there is no server without one. */
  readonly token: string;
  readonly allowedHosts: readonly string[];
  readonly checks: readonly Check[];
  readonly metrics: Metrics;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface HttpServer {
  /** Resolves when connections are accepted; raises `config-invalid` when the address cannot be had. */
  listen(): Promise<void>;
  /** Ends what is under way within two seconds. */
  close(): Promise<void>;
  /** `http://host:port`; only after `listen`. */
  readonly url: string;
}

const closeGraceMs = 2_000;
const requestTimeoutMs = 30_000;
const headersTimeoutMs = 10_000;
const maxConnections = 256;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  if (options.token.length < 16) {
    throw new Failure('config-invalid', { where: 'http.token', expected: '16 characters or more', got: 'fewer' });
  }
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: headersTimeoutMs, maxHeaderSize: 16_384 },
    createApp(options),
  );
  server.maxConnections = maxConnections;
  const unwatch = watchEventLoop(options.metrics);
  return {
    listen: () => listen(server, options),
    async close() {
      unwatch();
      await close(server);
    },
    get url() {
      const { address, family, port } = server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    },
  };
}

/**
 * Health before everything: a probe of the platform comes with an address of its own as Host, and learns nothing. All else in this
 * order: known host, token, route.
 */
function createApp(options: HttpServerOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple').set('case sensitive routing', true);
  app.use(secureHeaders);
  app.use(createHealth(options.checks));
  app.use(requireKnownHost(options.host, options.allowedHosts));
  app.use(requireToken(options.token));
  app.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics.text());
  });
  app.use('/api/v1', createApi(options));
  app.use(() => {
    throw notFound();
  });
  app.use(handleErrors(options.log, options.now));
  return app;
}

/** Nothing that we send is a page, a script or to be kept by a browser. */
const secureHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  next();
};

function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause: NodeJS.ErrnoException) => {
    const where = `http.host and http.port (${host}:${port})`;
    reject(new Failure('config-invalid', { where, expected: 'a free address', got: cause.code ?? 'an error', cause }));
  });
  server.listen({ host, port }, resolve);
  return promise;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await promise;
  clearTimeout(timer);
}
