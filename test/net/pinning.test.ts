import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPin } from '../../src/net/pinning.ts';
import { type Answer, failureOf, makeHttp, type Peer, startPeer } from './peer.ts';

/** T2, T3 and T4: no request and no credential leaves the configured roots. */

const root = 'https://pacs.example:8443/dicom-web';
const pin = createPin([root, 'http://pacs.example/wado/rs/']);

describe('an address', () => {
  test.each([
    'https://pacs.example:8443/dicom-web',
    'https://pacs.example:8443/dicom-web/studies/1.2.3/metadata',
    'https://PACS.example:8443/dicom-web/studies?PatientID=a%2Fb',
    'http://pacs.example/wado/rs/studies',
  ])('below a root is allowed: %s', (url) => {
    expect(pin('GET', url)?.url.href.toLowerCase()).toBe(new URL(url).href.toLowerCase());
  });

  test.each([
    ['a look-alike host', 'https://pacs.example.evil:8443/dicom-web/studies'],
    ['a host before an @', 'https://pacs.example:8443@evil/dicom-web/studies'],
    ['credentials in the address', 'https://user:word@pacs.example:8443/dicom-web/studies'],
    ['another port', 'https://pacs.example/dicom-web/studies'],
    ['a downgrade to http', 'http://pacs.example:8443/dicom-web/studies'],
    ['a path beside the root', 'https://pacs.example:8443/dicom-webby/studies'],
    ['a path above the root', 'https://pacs.example:8443/dicom-web/../admin'],
    ['dots that are escaped', 'https://pacs.example:8443/dicom-web/%2e%2e/admin'],
    ['a slash that is escaped', 'https://pacs.example:8443/dicom-web/studies/..%2f..%2fadmin'],
    ['an escape that is escaped', 'https://pacs.example:8443/dicom-web/studies/%252e%252e'],
    ['a backslash', 'https://pacs.example:8443/dicom-web/..\\admin'],
    ['another scheme', 'file:///dicom-web/studies'],
    ['no address', 'studies/1.2.3'],
  ])('is refused: %s', (_name, url) => {
    expect(pin('GET', url)).toBeNull();
  });

  test('out of any text stays on a root or is refused, because a UID may hold anything (T2)', () => {
    const nasty = fc.array(
      fc.constantFrom(
        '..',
        '/',
        '\\',
        '%2e',
        '%2F',
        '?',
        '#',
        '@',
        ':',
        '1.2',
        'studies',
        '\0',
        '//evil',
        'https:',
        ' ',
        '\n',
      ),
      { maxLength: 12 },
    );
    const texts = fc.oneof(
      nasty.map((parts) => parts.join('')),
      fc.string({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(`${root}/studies/`, `${root}/`, root, ''), (text, start) => {
        const pinned = pin('GET', `${start}${text}`);
        if (!pinned) return;
        const { origin, pathname } = pinned.url;
        const below = `${origin}${pathname}/`;
        expect(below.startsWith(`${root}/`) || below.startsWith('http://pacs.example/wado/rs/')).toBe(true);
        expect(pinned.where).not.toMatch(/1\.2/);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(['ftp://pacs/dicom-web', 'https://u:w@pacs/dicom-web', 'https://pacs/dicom-web?key=1', 'pacs'])(
    'cannot be a root: %s',
    (url) => {
      expect(() => createPin([url])).toThrow(/config-invalid/);
    },
  );
});

describe('a redirect', () => {
  const peers: Peer[] = [];
  const start = async (answer: Answer) => {
    const peer = await startPeer(answer);
    peers.push(peer);
    return peer;
  };
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.close();
  });
  const credentials = { kind: 'bearer', token: 'canary-token' } as const;

  async function ask(peer: Peer, method: 'GET' | 'POST' = 'GET', others: readonly string[] = []) {
    const http = makeHttp(`${peer.url}/dicom-web`, { credentials, roots: [`${peer.url}/dicom-web`, ...others] });
    try {
      const answer = await http.request({ method, url: `${peer.url}/dicom-web/studies` });
      return String(Buffer.from(await answer.bytes()));
    } finally {
      await http.close();
    }
  }

  test.each([301, 302, 303, 307, 308])(
    '%i to another origin is not followed, so that no credential gets there (T4)',
    async (status) => {
      const thief = await start((response) => response.end('thanks'));
      const peer = await start((response) =>
        response.writeHead(status, { location: `${thief.url}/dicom-web/studies` }).end(),
      );
      expect((await failureOf(ask(peer))).code).toBe('pacs-not-dicomweb');
      expect(peer.asked).toHaveLength(1);
      expect(thief.asked).toHaveLength(0);
    },
  );

  test('from one root to another is not followed, because each was configured for its own questions', async () => {
    const other = await start((response) => response.end('thanks'));
    const peer = await start((response) => response.writeHead(302, { location: `${other.url}/studies` }).end());
    expect((await failureOf(ask(peer, 'GET', [other.url]))).code).toBe('pacs-not-dicomweb');
    expect(other.asked).toHaveLength(0);
  });

  test('out of the root is not followed, because the same host may serve others', async () => {
    const peer = await start((response) => response.writeHead(302, { location: '/login' }).end());
    expect((await failureOf(ask(peer))).code).toBe('pacs-not-dicomweb');
    expect(peer.asked.map(({ path }) => path)).toEqual(['/dicom-web/studies']);
  });

  test('below the root is followed with the credentials', async () => {
    const peer = await start((response, { path }) => {
      if (path === '/dicom-web/studies') response.writeHead(307, { location: '/dicom-web/v2/studies' }).end();
      else response.end('here');
    });
    expect(await ask(peer)).toBe('here');
    expect(peer.asked.map(({ authorization }) => authorization)).toEqual([
      'Bearer canary-token',
      'Bearer canary-token',
    ]);
  });

  test('is followed three times and no more, because a circle has no end', async () => {
    const peer = await start((response) => response.writeHead(302, { location: '/dicom-web/studies' }).end());
    expect((await failureOf(ask(peer))).detail.got).toBe('too many redirects');
    expect(peer.asked).toHaveLength(4);
  });

  test('of a POST is not followed, because it would be sent twice', async () => {
    const peer = await start((response) => response.writeHead(307, { location: '/dicom-web/other' }).end());
    expect((await failureOf(ask(peer, 'POST'))).code).toBe('pacs-not-dicomweb');
    expect(peer.asked).toHaveLength(1);
  });

  test('of the caller is refused before anything is sent', async () => {
    const peer = await start((response) => response.end('x'));
    const http = makeHttp(`${peer.url}/dicom-web`, { credentials });
    const failure = await failureOf(http.request({ method: 'GET', url: `${peer.url}/admin/1.2.3` }));
    await http.close();
    expect(failure.code).toBe('internal');
    expect(failure.message).not.toContain('1.2.3');
    expect(peer.asked).toHaveLength(0);
  });
});
