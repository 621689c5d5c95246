import type { Reading } from '../../src/core/reading.ts';
import type { Dataset } from '../../src/core/study.ts';
import { untrainedNotice } from '../../src/core/wording.ts';
import { structuredReport } from '../../src/dicom/sr.ts';
import { makeImageReading, makeReading, model, settings, studyUid } from '../support/readings.ts';
import { allItems, compose, describeItem, failedImage, findItem, itemsOf, readings, valueAt } from './results.ts';

const report = (reading: Reading, options = {}): Dataset => structuredReport(compose(reading, options));
const image = `${studyUid}.1.1`;
const linesOf = (dataset: Dataset): readonly string[] => itemsOf(dataset, 'ContentSequence').map(describeItem);
const textOf = (dataset: Dataset, code: string) => valueAt(findItem(dataset, code)!, 'TextValue');

/** The measurement group of an image, by position. */
const groupOf = (dataset: Dataset, index = 0): Dataset =>
  itemsOf(findItem(dataset, '126010')!, 'ContentSequence')[index]!;

test('the root is a Measurement Report of TID 1500, because archives and viewers look for it', () => {
  const sr = report(readings['positive']!);
  expect(describeItem(sr)).toBe(' CONTAINER 126000');
  expect(valueAt(sr, 'ContentTemplateSequence', 0, 'TemplateIdentifier')).toBe('1500');
  expect(linesOf(sr)).toEqual([
    'HAS CONCEPT MOD CODE 121049 = en-US',
    'HAS OBS CONTEXT CODE 121005 = 121007',
    `HAS OBS CONTEXT UIDREF 121012 = ${model.deviceUid}`,
    'HAS OBS CONTEXT TEXT 121013 = test-model',
    'HAS OBS CONTEXT TEXT 121014 = cxr-gateway project',
    'HAS OBS CONTEXT TEXT 121015 = ResNet-101 airspace opacity',
    'HAS CONCEPT MOD CODE 121058 = 363679005',
    'CONTAINS CONTAINER 111028',
    'CONTAINS CONTAINER 126010',
    'CONTAINS CONTAINER C0034375',
  ]);
});

test('a positive group names finding, site, algorithm, score, presence, region, source and explanation', () => {
  const composition = compose(readings['positive']!);
  const { heatmapSOPInstanceUID, trackingUid } = composition.identity.images[image]!;
  const group = groupOf(structuredReport(composition));
  expect(valueAt(group, 'ContentTemplateSequence', 0, 'TemplateIdentifier')).toBe('1501');
  expect(linesOf(group)).toEqual([
    `HAS OBS CONTEXT TEXT 112039 = Airspace opacity, test-model, ${image}`,
    `HAS OBS CONTEXT UIDREF 112040 = ${trackingUid}`,
    'CONTAINS CODE 121071 = 112033',
    'HAS CONCEPT MOD CODE 363698007 = 39607008',
    'HAS CONCEPT MOD TEXT 111001 = ResNet-101 airspace opacity',
    'HAS CONCEPT MOD TEXT 111003 = 0.0.1-test',
    'HAS CONCEPT MOD TEXT 122405 = cxr-gateway project',
    'HAS CONCEPT MOD TEXT 111002 = decision_threshold=0.5',
    `HAS CONCEPT MOD TEXT 111002 = model_sha256=${model.sha256}`,
    'HAS CONCEPT MOD TEXT 111002 = precision=float32',
    `HAS CONCEPT MOD TEXT 111002 = preprocessing=${model.preprocessing}`,
    'HAS CONCEPT MOD TEXT 111002 = training=trained',
    'HAS CONCEPT MOD TEXT 111002 = provider=cpu',
    'HAS CONCEPT MOD CODE 111000 = 123110',
    'CONTAINS NUM 122157 = 0.8731',
    'CONTAINS CODE 112033 = 52101004',
    'CONTAINS CODE 112027 = 112147',
    'CONTAINS SCOORD 111030 = POLYLINE',
    `CONTAINS IMAGE 121112 = ${image}`,
    `CONTAINS IMAGE 130401 = ${heatmapSOPInstanceUID}`,
  ]);
  expect(linesOf(findItem(group, '111030')!)).toEqual([`SELECTED FROM IMAGE - = ${image}`]);
  expect(linesOf(findItem(group, '122157')!)).toEqual(['HAS CONCEPT MOD CODE 121071 = 112033']);
});

test('a negative group has neither Finding nor descriptor, because a viewer would show them as found', () => {
  const group = groupOf(report(readings['negative']!));
  const lines = linesOf(group);
  expect(lines.filter((line) => line.startsWith('CONTAINS CODE'))).toEqual(['CONTAINS CODE 112033 = 272519000']);
  expect(lines).toContain('CONTAINS SCOORD 111030 = POLYLINE');
});

test.each(['positive', 'negative', 'two', 'partial', 'nobody'])(
  'every group of %s has the mandatory rows of TID 4019, because no validator misses them',
  (name) => {
    const groups = itemsOf(findItem(report(readings[name]!), '126010')!, 'ContentSequence');
    expect(groups.length).toBe(readings[name]!.images.length);
    for (const group of groups) {
      for (const code of ['111001', '111003']) {
        const rows = itemsOf(group, 'ContentSequence').filter(
          (item) => valueAt(item, 'ConceptNameCodeSequence', 0, 'CodeValue') === code,
        );
        expect(rows.map((row) => valueAt(row, 'RelationshipType'))).toEqual(['HAS CONCEPT MOD']);
        expect(valueAt(rows[0]!, 'TextValue')).toMatch(/./);
      }
    }
  },
);

const summaries = {
  positive: '111242',
  negative: '111241',
  two: '111242',
  partial: '111244',
  'partial-negative': '111243',
  failed: '111245',
} as const;

test.each(Object.entries(summaries))('the processing summary of %s is %s (CID 6047)', (name, code) => {
  expect(describeItem(findItem(report(readings[name]!), '111017')!)).toBe(`CONTAINS CODE 111017 = ${code}`);
});

test('a partial report names the images that failed and why, because silence would read as "all seen"', () => {
  const texts = itemsOf(findItem(report(readings['partial']!), 'C0034375')!, 'ContentSequence').map((item) =>
    valueAt(item, 'TextValue'),
  );
  expect(texts[1]).toContain('1 of 2 images were read.');
  expect(texts[2]).toBe(
    `Image ${failedImage.SOPInstanceUID} was not read: truncated. The file or its pixel data ends early.`,
  );
});

test('a failed report has no measurements and says that it is not a negative', () => {
  const sr = report(readings['failed']!);
  expect(findItem(sr, '126010')).toBeUndefined();
  expect(findItem(sr, '111028')).toBeUndefined();
  expect(findItem(sr, '122157')).toBeUndefined();
  expect(textOf(sr, '121106')).toContain('not a negative result');
});

test('two images are two groups with own tracking UIDs, because a viewer merges groups that share one', () => {
  const sr = report(readings['two']!);
  const uids = [0, 1].map((index) => valueAt(findItem(groupOf(sr, index), '112040')!, 'UID'));
  expect(new Set(uids).size).toBe(2);
  expect(itemsOf(findItem(sr, '126200')!, 'ContentSequence').length).toBe(2);
});

test('without a picture there is no explanation, because a reference must lead somewhere', () => {
  const sr = report(readings['positive']!, { withPictures: false });
  expect(findItem(sr, '130401')).toBeUndefined();
  expect(JSON.stringify(sr)).not.toContain('1.2.840.10008.5.1.4.1.1.7"');
});

test('what the source does not have stays empty or absent, because nothing is made up', () => {
  const sr = report(readings['nobody']!);
  for (const tag of [
    '00100010',
    '00100020',
    '00100030',
    '00100040',
    '00080020',
    '00080030',
    '00080050',
    '00080090',
    '00200010',
  ]) {
    expect(sr[tag]).toEqual({ vr: expect.any(String) });
  }
  for (const tag of ['00100021', '00101002', '00101010', '00081030', '00081032', '0040A370', '00080201']) {
    expect(sr[tag]).toBeUndefined();
  }
  const library = itemsOf(findItem(sr, '126200')!, 'ContentSequence')[0]!;
  expect(linesOf(library)).toEqual([
    'HAS ACQ CONTEXT CODE 121139 = CR',
    'HAS ACQ CONTEXT CODE 111031 = 399033003',
    'HAS ACQ CONTEXT NUM 110910 = 2500',
    'HAS ACQ CONTEXT NUM 110911 = 2048',
  ]);
});

test('the image library describes a film with all that is known of it', () => {
  const library = itemsOf(findItem(report(readings['positive']!), '126200')!, 'ContentSequence')[0]!;
  expect(describeItem(library)).toBe(`CONTAINS IMAGE 260753009 = ${image}`);
  expect(linesOf(library)).toEqual([
    'HAS ACQ CONTEXT CODE 121139 = DX',
    'HAS ACQ CONTEXT CODE 111031 = 272479007',
    'HAS ACQ CONTEXT DATE 111060 = 20260314',
    'HAS ACQ CONTEXT TIME 111061 = 101500',
    'HAS ACQ CONTEXT DATE 126201 = 20260314',
    'HAS ACQ CONTEXT TIME 126202 = 101512',
    'HAS ACQ CONTEXT NUM 110910 = 2500',
    'HAS ACQ CONTEXT NUM 110911 = 2048',
    'HAS ACQ CONTEXT TEXT 111044 = L',
    'HAS ACQ CONTEXT TEXT 111043 = F',
    'HAS ACQ CONTEXT NUM 111026 = 0.168',
    'HAS ACQ CONTEXT NUM 111066 = 0.168',
  ]);
});

test('horizontal spacing is the second value of the attribute, because it gives the row spacing first', () => {
  const entry = makeImageReading();
  const sr = report(makeReading({ images: [{ ...entry, image: { ...entry.image, ImagerPixelSpacing: [0.2, 0.1] } }] }));
  expect(describeItem(findItem(sr, '111026')!)).toContain('= 0.1');
  expect(describeItem(findItem(sr, '111066')!)).toContain('= 0.2');
});

test('a score that 16 characters do not hold stands a second time in full, because FHIR says it in full', () => {
  const score = 0.1234567890123456;
  const sr = report(makeReading({ images: [makeImageReading({ score })] }));
  const measured = itemsOf(findItem(sr, '122157')!, 'MeasuredValueSequence')[0]!;
  expect(valueAt(measured, 'NumericValue')).toBe(0.12345678901235);
  expect(valueAt(measured, 'FloatingPointValue')).toBe(score);
  const short = itemsOf(findItem(report(readings['positive']!), '122157')!, 'MeasuredValueSequence')[0]!;
  expect(valueAt(short, 'FloatingPointValue')).toBeUndefined();
});

test('a fall-back names the provider that was asked for beside the one that did the work', () => {
  const provider = { asked: 'cuda', used: 'cpu' } as const;
  const lines = allItems(report(makeReading({ images: [makeImageReading({ provider })] }))).map(describeItem);
  expect(lines).toContain('HAS CONCEPT MOD TEXT 111002 = provider=cpu');
  expect(lines).toContain('HAS CONCEPT MOD TEXT 111002 = provider_asked=cuda');
  const automatic = makeImageReading({ provider: { asked: 'auto', used: 'cpu' } });
  const quiet = allItems(report(makeReading({ images: [automatic] }))).map(describeItem);
  expect(quiet.filter((line) => line.includes('provider'))).toEqual(['HAS CONCEPT MOD TEXT 111002 = provider=cpu']);
});

test('an untrained model says so in the comment and in the parameters, because its score means nothing', () => {
  const sr = report(makeReading({ model: { ...model, training: 'untrained' } }));
  expect(textOf(sr, '121106')).toMatch(new RegExp(`^${untrainedNotice}`));
  expect(allItems(sr).map(describeItem)).toContain('HAS CONCEPT MOD TEXT 111002 = training=untrained');
});

test('a site may name the procedure as IHE AIR wishes, because the generic code is only what every validator takes', () => {
  const sr = report(makeReading({ settings: { ...settings, procedureReported: 'plainChestRadiograph' } }));
  expect(describeItem(findItem(sr, '121058')!)).toBe('HAS CONCEPT MOD CODE 121058 = 399208008');
});

test('confirmed COVID-19 (840539006) is never written', () => {
  for (const reading of Object.values(readings)) expect(JSON.stringify(report(reading))).not.toContain('840539006');
});
