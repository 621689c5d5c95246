import { Failure } from '../core/failure.ts';

/** Where requests may go: below the roots that the site configured, and nowhere else. Credentials never leave that ground. */

/** Escapes that some servers undo once more: a slash, a backslash, a dot or a zero byte behind one might leave the root. */
const treacherousEscapes = /%(2f|5c|2e|00|25)/i;

export interface Pinned {
  readonly url: URL;
  /** What stands in messages: method and path below the root, identifiers replaced. */
  readonly where: string;
}

export type Pin = (method: string, url: string) => Pinned | null;

/** Checks addresses against the roots (absolute base URLs, http or https). */
export function createPin(roots: readonly string[]): Pin {
  const grounds = roots.map(groundOf);
  return (method, text) => {
    if (!URL.canParse(text)) return null;
    const url = new URL(text);
    const ground = grounds.find((candidate) => liesBelow(url, candidate));
    if (!ground) return null;
    const path = url.pathname.slice(ground.path.length);
    return treacherousEscapes.test(path) ? null : { url, where: placeOf(method, path, url.search !== '') };
  };
}

interface Ground {
  readonly origin: string;
  /** Path of the root, ending in a slash. */
  readonly path: string;
}

function groundOf(root: string): Ground {
  const url = URL.canParse(root) ? new URL(root) : null;
  const usable = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (!usable) {
    throw new Failure('config-invalid', {
      where: 'address of a server',
      expected: 'http(s)://host/path, nothing else',
    });
  }
  return { origin: url.origin, path: url.pathname.replace(/\/*$/, '/') };
}

function liesBelow({ origin, pathname, username, password }: URL, ground: Ground): boolean {
  if (origin !== ground.origin || username || password) return false;
  return `${pathname}/` === ground.path || pathname.startsWith(ground.path);
}

/** Words of DICOMweb, FHIR and Orthanc paths that name no patient; anything else may be an identifier. */
const plainWords = new Set(
  'studies series instances metadata changes system frames rendered _history _search $validate'.split(' '),
);

/** `GET studies/…/metadata`, `PUT Patient/…`, `GET studies?…`. */
function placeOf(method: string, path: string, hasQuery: boolean): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  const words = segments.map((segment, index) => {
    const isName = plainWords.has(segment) || (index === 0 && /^[A-Z][A-Za-z]{2,40}$/.test(segment));
    return isName ? segment : '…';
  });
  return `${method} ${words.join('/') || 'the root'}${hasQuery ? '?…' : ''}`;
}
