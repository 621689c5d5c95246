import fc from 'fast-check';
import { failures } from '../../src/core/failure.ts';
import type { Choice } from '../../src/core/ports.ts';
import type { Dataset } from '../../src/core/study.ts';
import { type gates, select } from '../../src/dicom/select.ts';
import { explain } from '../../src/dicom/select-explain.ts';
import {
  context,
  crClass,
  datasetOf,
  film,
  instance,
  item,
  keyObjectClass,
  now,
  plainFilm,
  rawClass,
  rulesWith,
  scClass,
  type Values,
} from './film-header.ts';
import { type Variant, variants } from './select-variants.ts';

const choose = (header: Dataset, options: unknown = {}, own = {}): Choice =>
  select([instance(header)], rulesWith(options), { ...context, ...own })[0]!.choice;

const verdict = (choice: Choice): string => (choice.outcome === 'eligible' ? choice.view : choice.code);

describe('header variants under the default rules (faults 12, 13, 14, 15, 16, 21, 22, 61)', () => {
  for (const [group, rows] of Object.entries(variants) as [string, readonly Variant[]][]) {
    test.each(rows)(`${group}: %s`, (_habit, values, expected) => {
      const choice = choose(film(values));
      expect(verdict(choice)).toBe(expected);
      if (choice.outcome !== 'eligible') expect(choice.because.join('')).not.toBe('');
    });
  }

  test('are at least two hundred, because vendors have that many habits', () => {
    expect(Object.values(variants).flat().length).toBeGreaterThanOrEqual(200);
  });
});

describe('what a site may decide', () => {
  const cases: readonly (readonly [string, unknown, Values, string])[] = [
    ['children are read where the gate is off', { minAgeYears: null }, { PatientAge: '003D' }, 'PA'],
    ['another age gate', { minAgeYears: 65 }, {}, 'too-young'],
    ['an unknown age is skipped where the site says so', { unknownAge: 'skip' }, { PatientAge: null }, 'age-unknown'],
    [
      'an unknown age is no matter where there is no gate',
      { minAgeYears: null, unknownAge: 'skip' },
      { PatientAge: null },
      'PA',
    ],
    [
      'a placeholder birth date is no age',
      { unknownAge: 'skip' },
      { PatientAge: null, PatientBirthDate: '18000101' },
      'age-unknown',
    ],
    ['priors are read where the limit is off', { maxStudyAgeDays: null }, { StudyDate: '19980101' }, 'PA'],
    ['raw data is read where the site says so', { acceptForProcessing: true }, { SOPClassUID: rawClass }, 'PA'],
    ['an unknown view is read as frontal', { unknownView: 'read' }, { ViewPosition: null }, 'frontal'],
    [
      'a mirrored film is skipped where the site says so',
      { turnedFilms: 'skip' },
      { PatientOrientation: ['R', 'F'] },
      'mirrored',
    ],
    ['a film as most are', { turnedFilms: 'skip' }, { PatientOrientation: ['LF', 'FR'] }, 'PA'],
    ['a lateral stays refused', { unknownView: 'read' }, { ViewPosition: 'LL' }, 'not-frontal'],
    ['an unknown body part is read', { unknownBodyPart: 'read' }, { BodyPartExamined: null }, 'PA'],
    ['another part stays refused', { unknownBodyPart: 'read' }, { BodyPartExamined: 'HIP' }, 'not-chest'],
    [
      'other phantom identifiers',
      { qualityControlPatientIds: ['*-TEST-*'] },
      { PatientID: 'a-test-b' },
      'quality-control',
    ],
    ['no phantom identifiers', { qualityControlPatientIds: [] }, { PatientID: 'PHANTOM' }, 'PA'],
    [
      'a word of the site for the chest',
      { addWords: { chest: ['RTG Kl*'] } },
      { BodyPartExamined: 'RTG_KLATKI' },
      'PA',
    ],
    [
      'a word of the site for a view',
      { addWords: { lateral: ['zij*'] } },
      { SeriesDescription: 'zijaanzicht' },
      'view-conflict',
    ],
    [
      'a part of a word',
      { addWords: { derived: ['*invert*'] } },
      { SeriesDescription: 'autoinverted' },
      'derived-processing',
    ],
    [
      'a word that means something else at the site',
      { removeWords: { derived: ['cad'] } },
      { SeriesDescription: 'CAD 3 chest' },
      'PA',
    ],
    [
      'a word of the site that is added and one that goes',
      { addWords: { otherParts: ['hws'] }, removeWords: { otherParts: ['hws'] } },
      { SeriesDescription: 'HWS' },
      'not-chest',
    ],
  ];
  test.each(cases)('%s', (_name, options, values, expected) => {
    expect(verdict(choose(film(values), options))).toBe(expected);
  });

  test('a word that is to go and is not there is told, because it is a misspelling', () => {
    expect(() => rulesWith({ removeWords: { derived: ['cda'] } })).toThrow(
      /config-invalid.*selection\.removeWords\.derived.*Got: cda/,
    );
    expect(() => rulesWith({ addWords: { chests: ['x'] } })).toThrow(/config-invalid.*selection\.addWords/);
  });

  test.each<readonly [string, Values, string]>([
    ['a film with coded part and view is read', {}, 'PA'],
    [
      'its view must be coded, because a capture of a screen has texts too',
      { ViewPosition: null, SeriesDescription: 'Chest PA' },
      'not-radiograph',
    ],
    ['its body part must be coded', { BodyPartExamined: null, SeriesDescription: 'Chest' }, 'not-radiograph'],
    ['a picture of ours is not read', { ImageType: ['DERIVED', 'SECONDARY'] }, 'secondary-image'],
    ['a capture of another modality is not read', { Modality: 'OT' }, 'not-radiograph'],
  ])('Secondary Capture by site policy: %s', (_name, values, expected) => {
    const capture = film({ SOPClassUID: scClass, Modality: 'CR', ...values });
    expect(verdict(choose(capture, { acceptSecondaryCaptureModality: true }))).toBe(expected);
  });
});

describe('own output (fault 60)', () => {
  const ownDevice = '2.25.1001';
  const own = { ownUids: new Set(['2.25.5']), ownDeviceUids: new Set([ownDevice]) };
  const equipment = [{ Manufacturer: 'cxr-gateway project', ManufacturerModelName: 'a model', DeviceUID: ownDevice }];
  const heatmap = {
    ...plainFilm,
    SOPClassUID: scClass,
    SOPInstanceUID: '2.25.5',
    Modality: 'OT',
    ImageType: ['DERIVED', 'SECONDARY'],
    Manufacturer: 'cxr-gateway project',
    ContributingEquipmentSequence: equipment,
  } as const satisfies Values;

  /** What would have to go wrong on the way through an archive for one brake to fail. */
  const losses: readonly (readonly [keyof typeof gates, Values, object])[] = [
    ['ownUid', {}, { ownUids: new Set() }],
    ['ownEquipment', { Manufacturer: null, ContributingEquipmentSequence: null }, {}],
    ['secondaryImage', { ImageType: null }, {}],
    ['radiographOnly', { SOPClassUID: crClass, Modality: 'CR' }, {}],
  ];

  test.each(losses)('without %s three brakes remain, because each asks something else', (lost, values, memory) => {
    const circumstances = {
      rules: rulesWith(),
      context: { ...context, ...own, ...memory },
      rejected: new Set<string>(),
    };
    const answers = explain(datasetOf({ ...heatmap, ...values }), circumstances);
    const braked = answers.filter(({ rule, refusal }) => losses.some(([name]) => name === rule) && refusal);
    expect(braked.map(({ rule }) => rule).sort()).toEqual(
      losses
        .map(([name]) => name)
        .filter((name) => name !== lost)
        .sort(),
    );
  });

  test('any one brake is enough, because an archive may lose the other three', () => {
    for (const [kept] of losses) {
      const others = losses.filter(([name]) => name !== kept);
      const bent = Object.assign({ ...heatmap }, ...others.map(([, values]) => values)) as Values;
      const memory = Object.assign({ ...context, ...own }, ...others.map(([, , lost]) => lost));
      expect(select([instance(datasetOf(bent))], rulesWith(), memory)[0]!.choice.outcome).toBe('skipped');
    }
  });

  test('the DeviceUID alone stops what another gateway with the same model made', () => {
    const foreign = film({ ContributingEquipmentSequence: [{ Manufacturer: 'renamed', DeviceUID: ownDevice }] });
    expect(verdict(choose(foreign, {}, own))).toBe('own-output');
  });

  test('our results count as ours and not as foreign objects, because settling waits for foreign ones only', () => {
    const report = { ...heatmap, SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34', Modality: 'SR', ImageType: null };
    expect(verdict(choose(datasetOf(report), {}, { ownDeviceUids: new Set(), ownUids: new Set() }))).toBe('own-output');
  });
});

describe('one reading an exposure (fault 14)', () => {
  const two = (a: Values, b: Values, options: unknown = { acceptForProcessing: true }) =>
    select([instance(film(a), 'a'), instance(film(b), 'b')], rulesWith(options), context).map(({ choice }) =>
      verdict(choice),
    );
  const taken = { AcquisitionDate: '20260314', AcquisitionTime: '101530', StudyTime: '100000' } as const;
  const raw = {
    ...taken,
    SOPClassUID: rawClass,
    PresentationIntentType: 'FOR PROCESSING',
    SOPInstanceUID: '1.2.9',
  } as const;

  test('FOR PRESENTATION is read and FOR PROCESSING of the same moment is not', () => {
    expect(two(raw, taken)).toEqual(['duplicate-exposure', 'PA']);
  });

  test('FOR PROCESSING alone is read where the site accepts it', () => {
    expect(two(raw, { ViewPosition: 'LL' })).toEqual(['PA', 'not-frontal']);
  });

  test.each<readonly [string, Values, Values]>([
    [
      'two processed films of one second, because a device may write the minute',
      taken,
      { ...taken, SOPInstanceUID: '1.2.9' },
    ],
    [
      'two raw films beside one processed film, because nobody knows whose it is',
      { ...taken, ...raw },
      { ...raw, SOPInstanceUID: '1.2.10' },
    ],
    ['films of different views', { ...taken, ViewPosition: 'AP' }, raw],
    [
      'films whose time is only the start of the study',
      { ...taken, StudyTime: '101530' },
      { ...raw, StudyTime: '101530' },
    ],
    ['films without a time', { AcquisitionTime: null }, { ...raw, AcquisitionTime: null }],
    ['films of two devices', { ...taken, DeviceSerialNumber: 'A' }, { ...raw, DeviceSerialNumber: 'B' }],
    ['films of other technique', { ...taken, Exposure: 2 }, { ...raw, Exposure: 5 }],
    [
      'a film stitched from two',
      {},
      {
        SOPInstanceUID: '1.2.9',
        SourceImageSequence: [{ ReferencedSOPInstanceUID: '1.2.3.4' }, { ReferencedSOPInstanceUID: '1.2.8' }],
      },
    ],
  ])('both are read: %s', (_name, a, b) => {
    expect(two(a, b).every((word) => ['PA', 'AP'].includes(word))).toBe(true);
  });

  test('a film derived from another one gives way to its source', () => {
    const derived = {
      SOPInstanceUID: '1.1.1',
      ImageType: ['DERIVED', 'PRIMARY'],
      SourceImageSequence: [{ ReferencedSOPInstanceUID: '1.2.3.4' }],
    } as const;
    expect(two(derived, {})).toEqual(['duplicate-exposure', 'PA']);
    expect(two({}, derived)).toEqual(['PA', 'duplicate-exposure']);
  });

  test('both are read where the site says so, because a person who hands in two files wants two answers', () => {
    const derived = {
      SOPInstanceUID: '1.1.1',
      SourceImageSequence: [{ ReferencedSOPInstanceUID: '1.2.3.4' }],
    } as const;
    expect(two(derived, {}, { duplicateExposure: 'read' })).toEqual(['PA', 'PA']);
  });

  test('one irradiation event is one exposure, whatever the times say', () => {
    const event = { '00083010': { vr: 'UI', Value: ['1.2.77'] } };
    const chosen = select(
      [instance({ ...film(), ...event }, 'a'), instance({ ...film({ SOPInstanceUID: '1.2.9' }), ...event }, 'b')],
      rulesWith(),
      context,
    );
    expect(chosen.map(({ choice }) => verdict(choice))).toEqual(['PA', 'duplicate-exposure']);
  });

  test('two views of one event are both read, because they are two films', () => {
    const event = { '00083010': { vr: 'UI', Value: ['1.2.77'] } };
    const other = film({ SOPInstanceUID: '1.2.9', ViewPosition: 'AP' });
    const chosen = select(
      [instance({ ...film(), ...event }, 'a'), instance({ ...other, ...event }, 'b')],
      rulesWith(),
      context,
    );
    expect(chosen.map(({ choice }) => verdict(choice))).toEqual(['PA', 'AP']);
  });

  test('files of one SOP Instance UID are all read, because they are one object and not two', () => {
    const event = { '00083010': { vr: 'UI', Value: ['1.2.77'] } };
    const chosen = select(
      [
        instance({ ...film(), ...event }, 'a'),
        instance({ ...film({ ImageType: ['DERIVED', 'PRIMARY'] }), ...event }, 'b'),
      ],
      rulesWith(),
      context,
    );
    expect(chosen.map(({ choice }) => verdict(choice))).toEqual(['PA', 'PA']);
  });

  test('never drops every film of an exposure, however they are linked', () => {
    const uid = fc.constantFrom('1.1', '1.2', '1.3', '1.4');
    const values = fc.record({
      SOPInstanceUID: uid,
      source: fc.option(uid),
      raw: fc.boolean(),
      derived: fc.boolean(),
      AcquisitionTime: fc.constantFrom('101530', '101531'),
    });
    const headerOf = ({
      source,
      raw: isRaw,
      derived,
      ...rest
    }: typeof values extends fc.Arbitrary<infer T> ? T : never) =>
      film({
        ...taken,
        ...rest,
        ...(isRaw ? { SOPClassUID: rawClass, PresentationIntentType: 'FOR PROCESSING' } : {}),
        ImageType: [derived ? 'DERIVED' : 'ORIGINAL', 'PRIMARY'],
        SourceImageSequence: source === null ? null : [{ ReferencedSOPInstanceUID: source }],
      });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 6 }), (films) => {
        const instances = films.map((entry, index) => instance(headerOf(entry), String(index)));
        const chosen = select(instances, rulesWith({ acceptForProcessing: true }), context);
        expect(chosen.some(({ choice }) => choice.outcome === 'eligible')).toBe(true);
      }),
    );
  });
});

describe('rejection notes', () => {
  const note = (title: string, values: Values): Dataset =>
    datasetOf({
      SOPClassUID: keyObjectClass,
      Modality: 'KO',
      ConceptNameCodeSequence: [item(title, 'DCM')],
      ...values,
    });
  const reference = [{ ReferencedSOPInstanceUID: plainFilm.SOPInstanceUID }];
  const evidence = {
    CurrentRequestedProcedureEvidenceSequence: [{ ReferencedSeriesSequence: [{ ReferencedSOPSequence: reference }] }],
  };
  const content = { ContentSequence: [{ ValueType: 'IMAGE', ReferencedSOPSequence: reference }] };
  const withNote = (header: Dataset) =>
    select([instance(film()), instance(header, 'note')], rulesWith(), context).map(({ choice }) => verdict(choice));

  test.each(['113001', '113037', '113038', '113039'])('%s in the study stops the image it lists', (title) => {
    expect(withNote(note(title, evidence))).toEqual(['rejected', 'not-radiograph']);
    expect(withNote(note(title, content))).toEqual(['rejected', 'not-radiograph']);
  });

  test('a note of interest stops nothing, because a key image is not a rejected one', () => {
    expect(withNote(note('113000', evidence))).toEqual(['PA', 'not-radiograph']);
  });
});

describe('what is not a film at all', () => {
  test('a file that could not be parsed keeps its own reason', () => {
    const failure = { code: 'truncated', detail: 'PixelData, expected 100 bytes' } as const;
    const [chosen] = select([{ key: 'a', header: null, failure }], rulesWith(), context);
    expect(chosen!.choice).toEqual({ outcome: 'quarantined', code: 'truncated', because: [failure.detail] });
  });

  test('an identifier that cannot be written stops the film before it is fetched', () => {
    const choice = choose(film({ PatientID: 'x'.repeat(65) }));
    expect(choice).toEqual({ outcome: 'quarantined', code: 'invalid-identifier', because: ['PatientID'] });
  });

  test('the same identifier on a hip film stops nothing, because nothing is written for it', () => {
    expect(verdict(choose(film({ PatientID: 'x'.repeat(65), BodyPartExamined: 'HIP' })))).toBe('not-chest');
  });
});

describe('refusals', () => {
  test('give one answer for each object, in order, because nothing the gateway looks at may go missing', () => {
    const instances = ['a', 'b', 'c'].map((key) => instance(film({ SOPInstanceUID: `1.${key.charCodeAt(0)}` }), key));
    expect(select(instances, rulesWith(), context).map(({ instance: { key } }) => key)).toEqual(['a', 'b', 'c']);
  });

  test('carry no patient data, whatever a person typed into the header', () => {
    const secret = 'Zzyzx Miller 1961';
    const typed = fc.constantFrom(
      secret,
      `${secret} lateral`,
      `rib ${secret}`,
      `phantom ${secret}`,
      `bone suppressed ${secret}`,
      'Chest PA',
    );
    const concept = fc.option(fc.constantFrom(secret, '399067008').map((value) => [item(value, 'SCT')]));
    const values = fc.record({
      ViewCodeSequence: concept,
      AnatomicRegionSequence: concept,
      PatientSpeciesCodeSequence: concept,
      PatientID: fc.constantFrom(secret, secret.repeat(9), 'QC-Zzyzx'),
      PatientAge: fc.constantFrom('001Y', '064Y'),
      StudyDate: fc.constantFrom('19610203', '20260314'),
      PatientBirthDate: fc.constant('19610203'),
      PatientSpeciesDescription: fc.option(fc.constant(secret)),
      StudyDescription: typed,
      SeriesDescription: typed,
      ProtocolName: typed,
      DerivationDescription: typed,
      BodyPartExamined: fc.option(fc.constantFrom('CHEST', `${secret}, ward 7`)),
      ViewPosition: fc.option(fc.constantFrom('PA', 'LL', `${secret}, side`)),
    });
    fc.assert(
      fc.property(values, (header) => {
        const answers = explain(film(header), { rules: rulesWith(), context, rejected: new Set() });
        const said = answers.flatMap(({ refusal, looked }) => [...(refusal?.because ?? []), ...looked]);
        expect(said.join(' ')).not.toMatch(/zzyzx|miller|1961|001Y/i);
      }),
    );
  });

  test('use codes of class skip only, because a rule is no fault', () => {
    const codes = Object.values(variants)
      .flat()
      .map(([, , word]) => word)
      .filter((word) => word in failures);
    for (const code of codes) expect(failures[code as keyof typeof failures].class).toBe('skip');
  });

  test('stop a film of more pixels than the limit before it is fetched, because a header costs nothing to write (T6)', () => {
    expect(choose(film({ Rows: 65535, Columns: 65535 }))).toMatchObject({
      outcome: 'quarantined',
      code: 'limit-exceeded',
    });
  });

  test('take a text of a megabyte in little time, because the header is hostile (T12)', () => {
    const long = film({
      SeriesDescription: 'lateral '.repeat(131_072),
      ViewPosition: ' '.repeat(1 << 20),
      PatientID: 'a'.repeat(1 << 20),
    });
    const started = performance.now();
    choose(long, { qualityControlPatientIds: ['*a*a*a*b'] });
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('are the same at any moment of the study day, because the limit counts days', () => {
    const atHour = (hour: number) =>
      verdict(choose(film({ StudyDate: '20260306' }), {}, { now: now + hour * 3_600_000 }));
    expect(atHour(0)).toBe('PA');
    expect(atHour(11)).toBe('PA');
    expect(atHour(36)).toBe('too-old');
  });
});
