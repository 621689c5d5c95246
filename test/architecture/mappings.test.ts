import { globSync, readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { Failure } from '../../src/core/failure.ts';
import {
  createSelectionRules,
  selectionOptionsSchema,
  selectionRulesSchema,
  viewRulesSchema,
} from '../../src/dicom/select.ts';
import { proceduresSchema } from '../../src/fhir/procedures.ts';
import { codesSchema } from '../../src/outputs/codes.ts';

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const selection = selectionRulesSchema.parse(read('mappings/selection.json'));
const views = viewRulesSchema.parse(read('mappings/views.json'));

const schemas: Readonly<Record<string, z.ZodType>> = {
  'mappings/codes.json': codesSchema,
  'mappings/procedures.json': proceduresSchema,
  'mappings/selection.json': selectionRulesSchema,
  'mappings/views.json': viewRulesSchema,
};

describe('mappings', () => {
  test('all have a schema, because data without one is code without a compiler', () => {
    expect(globSync('mappings/*.json').sort()).toEqual(Object.keys(schemas));
  });

  test.each(Object.entries(schemas))('%s is valid under its schema', (path, schema) => {
    expect(schema.safeParse(read(path)).error?.issues).toBeUndefined();
  });

  test.each(Object.entries(schemas))(
    '%s with a key of no meaning is refused, because a typo would switch a rule off',
    (path, schema) => {
      expect(schema.safeParse({ ...(read(path) as object), maxAgeDay: 7 }).success).toBe(false);
    },
  );

  test('say every word once and every code under one view, because two answers to one question are none', () => {
    const wordLists = [
      selection.derived.words,
      selection.qualityControl.words,
      selection.bodyPart.chestWords,
      selection.bodyPart.otherWords,
    ];
    for (const list of [...wordLists, Object.values(views.words).flat(), Object.values(views.positions).flat()]) {
      expect(list.filter((word, index) => list.indexOf(word) !== index)).toEqual([]);
    }
    const viewCodes = views.codes.flatMap(({ SCT, SRT }) => [SCT, ...SRT]);
    expect(new Set(viewCodes).size).toBe(viewCodes.length);
    const { chestWords, otherWords } = selection.bodyPart;
    expect(chestWords.filter((word) => otherWords.includes(word))).toEqual([]);
  });

  test('name the codes of PS3.16 that the results use for the same view', () => {
    const ours = codesSchema.parse(read('mappings/codes.json'));
    const viewOf = (value: string) => views.codes.find(({ SCT }) => SCT === value)?.view;
    expect(viewOf(ours.posteroAnterior.CodeValue)).toBe('PA');
    expect(viewOf(ours.anteroPosterior.CodeValue)).toBe('AP');
    expect(viewOf(ours.frontal.CodeValue)).toBe('frontal');
    expect(selection.bodyPart.chestCodes.map(({ value }) => value)).toContain(ours.chest.CodeValue);
  });

  test('know how our own objects name their maker, because that is one of the brakes against reading them', () => {
    const { manufacturers, modelNames } = selection.ownEquipment;
    const wire = readFileSync('src/wire.ts', 'utf8');
    expect(manufacturers).toContain(/manufacturer: '([^']+)'/.exec(wire)?.[1]);
    expect(modelNames).toContain(/modelName: '([^']+)'/.exec(wire)?.[1]);
  });
});

describe('selection options', () => {
  const rules = (options: unknown) => createSelectionRules(selection, views, options);
  const raised = (options: unknown): Failure => {
    try {
      rules(options);
    } catch (thrown) {
      return thrown as Failure;
    }
    throw new Error('nothing was raised');
  };

  test('have safe defaults, because most sites set none', () => {
    expect(selectionOptionsSchema.parse({})).toEqual({
      minAgeYears: 18,
      unknownAge: 'read',
      maxStudyAgeDays: 7,
      acceptForProcessing: false,
      acceptSecondaryCaptureModality: false,
      unknownView: 'skip',
      turnedFilms: 'read',
      addWords: {},
      removeWords: {},
      unknownBodyPart: 'skip',
      duplicateExposure: 'skip',
      qualityControlPatientIds: ['QC-*', 'QC_*', 'PHANTOM*'],
    });
  });

  test.each<readonly [string, unknown, string]>([
    ['an unknown key', { minAge: 18 }, 'selection'],
    ['a wrong word', { unknownView: 'maybe' }, 'selection.unknownView'],
    ['a negative limit', { maxStudyAgeDays: -1 }, 'selection.maxStudyAgeDays'],
    ['a pattern that fits every patient', { qualityControlPatientIds: ['**'] }, 'selection.qualityControlPatientIds.0'],
  ])('refuse %s and say where', (_name, options, where) => {
    const failure = raised(options);
    expect([failure.code, failure.detail.where]).toEqual(['config-invalid', where]);
  });
});
