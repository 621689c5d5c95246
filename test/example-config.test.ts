import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { configJsonSchema, resolveConfig } from '../src/config.ts';
import type { SchemaNode } from '../src/config-input.ts';

const path = join(import.meta.dirname, '../docker/gateway.example.yaml');
const text = readFileSync(path, 'utf8');

const resolve = (yaml: string) =>
  resolveConfig({
    file: { name: 'example', text: yaml },
    environment: {},
    flags: [],
    readFile: () => 'secret-of-a-file',
  });

/** Every key of the schema with the keys that it stands under. */
function keysBelow(node: SchemaNode): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [key, ...keysBelow(child)]);
}

test('the example configuration holds as it is, because it is what people copy', () => {
  expect(resolve(text).pacs.url).toBe('http://localhost:8042/dicom-web');
});

test('the example names every setting that there is', () => {
  const missing = keysBelow(configJsonSchema() as SchemaNode).filter((key) => !new RegExp(`\\b${key}\\b`).test(text));
  expect(missing).toEqual([]);
});

test('the defaults that the example states are the defaults', () => {
  const stated = text
    .replaceAll(
      /^# ?(?=(sources|settle|selection|reader|jobs|reconcile|http|model|provider|providerFallback|allowUntrained|flagSuspectedCovid|reportFailures|heatmapMaxSide|procedureReported):)/gm,
      '',
    )
    .replaceAll(/^# {3}(?!(orthancChanges|token|id|folder|operatingPoint|url|passwordFile))(?=\w+:)/gm, '  ');
  const { pacs: _pacs, fhir: _fhir, ...given } = resolve(stated);
  const {
    pacs: _otherPacs,
    fhir: _otherFhir,
    ...defaults
  } = resolve('pacs: { url: http://h/d }\nfhir: { url: http://h/f }');
  expect(stated).toMatch(/^ {2}quietSeconds: 5/m);
  expect(given).toEqual(defaults);
});
