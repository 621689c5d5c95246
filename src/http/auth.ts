import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { RequestProblem } from './problem.ts';

/** Who may ask, and from where. */

/** Names under which a loopback address is known. */
const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

export const isLoopback = (host: string): boolean => host === '::1' || host === 'localhost' || /^127\./.test(host);

/**
 * Refuses a Host that is not ours, so that a web page whose name was re-bound to our address gets nothing, and an Origin that is
 * not ours, so that a page of elsewhere cannot act in the name of its reader's browser.
 */
export function requireKnownHost(host: string, allowedHosts: readonly string[]): RequestHandler {
  const known = new Set([...loopbackHosts, host, ...allowedHosts].map((name) => name.toLowerCase()));
  return (request, _response, next) => {
    const { host: asked, origin } = request.headers;
    if (!known.has(hostName(`http://${asked ?? ''}`))) throw forbidden('Host', 'host-not-allowed');
    if (origin !== undefined && !known.has(hostName(origin))) throw forbidden('Origin', 'origin-not-allowed');
    next();
  };
}

/** Host name of an origin, lower case, without port; empty for what is none (`null`, garbage). */
function hostName(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname.replace(/\.$/, '') : '';
}

function forbidden(header: string, code: string): RequestProblem {
  const detail = `The ${header} header names a host that is not in http.allowedHosts.`;
  return new RequestProblem({ status: 403, title: 'Forbidden', detail, code });
}

/** Bearer token (RFC 6750). Digests are compared, so that neither content nor length shows in the time. */
export function requireToken(token: string): RequestHandler {
  const expected = digest(token);
  return (request, _response, next) => {
    const [, given] = /^Bearer +([^ ]+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) {
      next();
      return;
    }
    const detail = 'A bearer token is needed: see http.token.';
    const challenge = given === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
    throw new RequestProblem(
      { status: 401, title: 'Unauthorized', detail, code: 'unauthorized' },
      { 'www-authenticate': challenge },
    );
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
