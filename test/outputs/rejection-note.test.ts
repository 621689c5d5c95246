import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { identify, identifyNote } from '../../src/core/ids.ts';
import type { RejectionNote } from '../../src/core/ports.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { select } from '../../src/dicom/select.ts';
import { comprehensive3dSrStorage, secondaryCaptureImageStorage } from '../../src/dicom/sop-classes.ts';
import { composeRejectionNote } from '../../src/outputs/index.ts';
import { context, film, instance, rulesWith } from '../dicom/film-header.ts';
import { codes, compose, gateway, readings } from '../dicom/results.ts';
import { dciodvfy, dcm2json, dsrdump, pixelmed, testWithValidators } from '../services/validators.ts';

/** The note that withdraws results, as others read it. */

const folder = mkdtempSync(join(tmpdir(), 'cxr-note-'));
afterAll(() => rmSync(folder, { recursive: true }));

function noteOn(name: string): RejectionNote {
  const reading = readings[name]!;
  const { sr, heatmapSeriesInstanceUID, images } = identify(reading, 'secret of the tests');
  const { StudyInstanceUID } = reading.study;
  const targets = [
    { StudyInstanceUID, ...sr, SOPClassUID: comprehensive3dSrStorage },
    ...Object.values(images).map(({ heatmapSOPInstanceUID }) => ({
      StudyInstanceUID,
      SeriesInstanceUID: heatmapSeriesInstanceUID,
      SOPInstanceUID: heatmapSOPInstanceUID,
      SOPClassUID: secondaryCaptureImageStorage,
    })),
  ];
  const uids = targets.map(({ SOPInstanceUID }) => SOPInstanceUID);
  return {
    study: reading.study,
    targets,
    identity: identifyNote(StudyInstanceUID, uids, 'secret of the tests'),
    reason: 'gelesen mit dem falschen Modell, größer gedacht',
    at: '2026-03-15T07:00:00Z',
    timezoneOffset: '+0100',
    model: reading.model,
    codes,
    gateway,
  };
}

function written(name: string): string {
  const path = join(folder, `${name}.dcm`);
  writeFileSync(path, composeRejectionNote(noteOn(name)).bytes);
  return path;
}

const maybe = testWithValidators();
const names = ['positive', 'two', 'cjk', 'failed'];

test('the same withdrawal is the same bytes, and another set of objects another note', () => {
  const note = noteOn('two');
  const again = composeRejectionNote(noteOn('two'));
  expect(composeRejectionNote(note)).toEqual(again);
  const { SOPInstanceUID, SeriesInstanceUID } = identifyNote(
    note.study.StudyInstanceUID,
    [note.targets[0]!.SOPInstanceUID],
    'secret of the tests',
  );
  expect(SOPInstanceUID).not.toBe(again.id);
  expect(SeriesInstanceUID).toBe(note.identity.SeriesInstanceUID);
  expect(compose(readings['two']!).identity.sr.SeriesInstanceUID).not.toBe(SeriesInstanceUID);
});

test('our own selection takes the note for one of ours and the film for no rejected one', () => {
  const note = parsePart10(composeRejectionNote(noteOn('positive')).bytes).header;
  const choices = select([instance(note), instance(film({}))], rulesWith({}), context).map(({ choice }) => choice);
  expect(choices).toMatchObject([{ outcome: 'skipped', code: 'own-output' }, { outcome: 'eligible' }]);
});

maybe.each(names)('dciodvfy finds no error in the note on %s', (name) => {
  const { errors, warnings } = dciodvfy(written(name));
  expect(errors).toEqual([]);
  const noise = [
    /ContributingEquipmentSequence.*DeviceUID.*not present in standard DICOM IOD/,
    /needed to build DICOMDIR/,
    /CodingSchemeDesignator.*Unrecognized defined term = <99SITE>/,
  ];
  expect(warnings.filter((warning) => !noise.some((known) => known.test(warning)))).toEqual([]);
});

maybe.each(names)('dsrdump accepts the note on %s and reads its title and reason', (name) => {
  const { status, text } = dsrdump(written(name));
  expect(status).toBe(0);
  expect(text).toContain('Rejected for Patient Safety Reasons');
  expect(text).toContain('AI result withdrawn');
});

maybe('dcm2json reads every object as evidence and in the content', () => {
  const { targets } = noteOn('two');
  const note = JSON.stringify(dcm2json(written('two')));
  for (const { SOPInstanceUID } of targets) expect(note.split(SOPInstanceUID)).toHaveLength(3);
});

maybe(
  'PixelMed finds template, title and relationships of the note right',
  () => {
    const judgements = pixelmed(names.map(written));
    for (const { errors, passed } of Object.values(judgements)) expect([errors, passed]).toEqual([[], true]);
  },
  600_000,
);
