import type { Request } from 'express';

/** Which transaction of DICOMweb or FHIR a request is. */

export const isStow = ({ method }: Request): boolean => method === 'POST';
export const isStudySearch = ({ method, path }: Request): boolean => method === 'GET' && path.endsWith('/studies');
export const isMetadata = ({ method, path }: Request): boolean => method === 'GET' && path.endsWith('/metadata');
/** The retrieval of DICOM objects, not of their metadata or pictures. */
export const isWado = ({ method, path }: Request): boolean =>
  method === 'GET' && /\/(studies|series|instances)\/[0-9.]+$/.test(path);

export const isTransaction = ({ method, path }: Request): boolean => method === 'POST' && /^\/fhir\/?$/.test(path);
export const isWrite = ({ method }: Request): boolean => method === 'POST' || method === 'PUT';

/**
 * Path without UIDs and ids, query names in order without values: `GET /dicom-web/studies/{study}/metadata`,
 * `GET /fhir/Patient?identifier`.
 */
export function shapeOf({ method, path, originalUrl }: Request): string {
  const segments = path.split('/');
  const shaped = segments.map((segment, index) => {
    const before = segments[index - 1] ?? '';
    if (/^[0-9.]+$/.test(segment)) return before === '_history' ? '{version}' : `{${singular(before)}}`;
    return /^[A-Z]/.test(before) || /^[0-9a-f-]{30,}$/.test(segment) ? '{id}' : segment;
  });
  const names = [...new Set(new URL(originalUrl, 'http://simulator').searchParams.keys())].sort();
  return `${method} ${shaped.join('/')}${names.length > 0 ? `?${names.join('&')}` : ''}`;
}

const singular = (word: string): string =>
  ({ studies: 'study', series: 'series', instances: 'instance', frames: 'frame' })[word] ?? 'number';
