import { describe, expect, test } from '@jest/globals';
import { createFhirDestination } from '../../src/fhir/server.ts';
import type { HttpRequest } from '../../src/net/http.ts';
import { startDestination, startMemoryServer } from './memory-server.ts';
import { bundleArtifact, openHttp } from './support.ts';

describe('requests', () => {
  test('nothing goes past our own HTTP client, because the package alone has no deadline, no cap and no pinning', async () => {
    const server = await startMemoryServer();
    const http = openHttp(server.root);
    const seen: string[] = [];
    const request = (asked: HttpRequest) => {
      const { pathname, search } = new URL(asked.url);
      seen.push(`${asked.method} ${pathname}${search}`);
      return http.request(asked);
    };
    const options = { ids: 'auto', onAmbiguousPatient: 'identifier' } as const;
    const world = { http: { ...http, request }, root: `${server.root}/`, options, now: () => 0 };
    await createFhirDestination(world).deliver([bundleArtifact()]);
    await http.close();
    await server.close();
    expect(seen).toEqual(server.requests);
    expect(seen.length).toBeGreaterThan(5);
    expect(seen).toContain('POST /fhir');
    expect(seen.filter((request) => request.includes('//'))).toEqual([]);
  });

  test('the server is asked once what it can, also when the site says whose ids, because its version of FHIR is to be known', async () => {
    const { fhir, server } = await startDestination();
    await fhir.deliver([bundleArtifact()]);
    await fhir.deliver([bundleArtifact()]);
    expect(server.requests.filter((request) => request.includes('metadata'))).toHaveLength(1);
    const told = await startDestination(undefined, { ids: 'client' });
    await told.fhir.deliver([bundleArtifact()]);
    expect(told.server.requests.filter((request) => request.includes('metadata'))).toHaveLength(1);
  });

  test('reads and searches ask for a fresh answer, because servers reuse results for a minute', async () => {
    const caching: (string | undefined)[] = [];
    const { fhir } = await startDestination((method, _, headers) => {
      if (method === 'GET') caching.push(headers['cache-control']);
      return null;
    });
    await fhir.deliver([bundleArtifact()]);
    expect(caching.length).toBeGreaterThan(4);
    expect(new Set(caching)).toEqual(new Set(['no-cache']));
  });
});
