import type { Dataset } from '../../src/core/study.ts';
import { keywords } from '../../src/dicom/keywords.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';
import { structuredReport } from '../../src/dicom/sr.ts';
import { compose, itemsOf, readings, region, valueAt } from '../dicom/results.ts';
import { type Loaded, openInOhif, whyNoOhif } from '../services/ohif.ts';

/** What a radiologist gets to see in OHIF, by OHIF's own code. */

const why = whyNoOhif();
if (why !== null) process.stderr.write(`skipped: ${why}\n`);
const maybe = why === null || process.env['CI'] ? test : test.skip;

const reportOf = (name: string): Dataset => structuredReport(compose(readings[name]!));
const imagesOf = (name: string): readonly string[] => readings[name]!.images.map(({ image }) => image.SOPInstanceUID);
const open = (name: string, report = reportOf(name)): Promise<Loaded> =>
  openInOhif(writePart10(report), imagesOf(name));

maybe('a positive is opened: its score is a label and its region is drawn on the source image', async () => {
  const { isImagingMeasurementReport, referencedImages, measurements, annotations } = await open('positive');
  const [image] = imagesOf('positive');
  const { trackingUid } = compose(readings['positive']!).identity.images[image!]!;
  expect(isImagingMeasurementReport).toBe(true);
  expect(referencedImages.map(({ ReferencedSOPInstanceUID }) => ReferencedSOPInstanceUID)).toEqual([image]);
  expect(measurements).toMatchObject([
    {
      TrackingUniqueIdentifier: trackingUid,
      graphicType: 'POLYLINE',
      loaded: true,
      ReferencedSOPInstanceUID: image,
      labels: [{ label: 'Probability', value: '0.87 1' }, { value: 'Lung' }],
    },
  ]);
  expect(annotations).toMatchObject([
    { annotationUID: trackingUid, metadata: { referencedImageId: `image:${image}` } },
  ]);
  expect(annotations[0]!.data.handles.points).toEqual(
    region.map(([column, row]) => [Math.fround(column), Math.fround(row), 0]),
  );
});

maybe('a negative is opened with the whole image as its region', async () => {
  const { measurements, annotations } = await open('negative');
  expect(measurements).toMatchObject([{ loaded: true, labels: [{ value: '0.12 1' }, { value: 'Lung' }] }]);
  expect(annotations[0]!.data.handles.points).toHaveLength(5);
});

maybe('two images are two measurements, each on its own image', async () => {
  const { measurements, annotations } = await open('two');
  expect(measurements).toHaveLength(2);
  expect(annotations.map(({ metadata }) => metadata.referencedImageId).sort()).toEqual(
    imagesOf('two').map((uid) => `image:${uid}`),
  );
});

maybe('a failed report is opened without measurements', async () => {
  expect(await open('failed')).toMatchObject({ measurements: [], annotations: [], referencedImages: [] });
});

/** The report with the items of each measurement group filtered. */
function withGroupItems(report: Dataset, keep: (item: Dataset) => boolean): Dataset {
  const conceptOf = (item: Dataset) => valueAt(item, 'ConceptNameCodeSequence', 0, 'CodeValue');
  const replace = (dataset: Dataset, change: (item: Dataset) => Dataset): Dataset => ({
    ...dataset,
    [keywords.ContentSequence[0]]: { vr: 'SQ', Value: itemsOf(dataset, 'ContentSequence').map(change) },
  });
  const filtered = (group: Dataset): Dataset => ({
    ...group,
    [keywords.ContentSequence[0]]: { vr: 'SQ', Value: itemsOf(group, 'ContentSequence').filter(keep) },
  });
  return replace(report, (item) => (conceptOf(item) === '126010' ? replace(item, filtered) : item));
}

maybe('a group without its SCOORD makes the loader throw, which is why every group has one', async () => {
  const report = withGroupItems(reportOf('negative'), (item) => valueAt(item, 'ValueType') !== 'SCOORD');
  await expect(open('negative', report)).rejects.toThrow("undefined (reading 'ReferencedSOPSequence')");
});

maybe('a group without its tracking UID makes the loader throw, which is why every group has its own', async () => {
  const report = withGroupItems(reportOf('negative'), (item) => valueAt(item, 'ValueType') !== 'UIDREF');
  await expect(open('negative', report)).rejects.toThrow("undefined (reading 'UID')");
});
