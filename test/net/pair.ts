import { afterEach } from '@jest/globals';
import type { HttpOptions } from '../../src/net/client.ts';
import type { Http } from '../../src/net/http.ts';
import { type Answer, makeHttp, type Peer, startPeer } from './peer.ts';

/** A peer and a client for it; both end with the test. */

export const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

export interface Pair {
  readonly peer: Peer;
  readonly http: Http;
  readonly get: (path?: string) => Promise<Buffer>;
}

export async function pair(
  answer: Answer,
  overrides: Partial<HttpOptions> & { readonly root?: string } = {},
): Promise<Pair> {
  const { root = '/dicom-web', ...options } = overrides;
  const peer = await startPeer(answer);
  const http = makeHttp(`${peer.url}${root}`, options);
  closing.push(
    () => peer.close(),
    () => http.close(),
  );
  const get = async (path = '/studies') => {
    const answered = await http.request({ method: 'GET', url: `${peer.url}${root}${path}` });
    return Buffer.from(await answered.bytes());
  };
  return { peer, http, get };
}
