import { sha256 } from '../../src/core/ids.ts';
import { dicomSr } from '../../src/outputs/dicom-sr.ts';
import { heatmapSc } from '../../src/outputs/heatmap-sc.ts';
import { compose, readings } from '../dicom/results.ts';

const composition = (name: string) => compose(readings[name]!);

test('a report is one artifact named by its SOP Instance UID', () => {
  const { identity } = composition('two');
  const [artifact, ...rest] = dicomSr.compose(composition('two'));
  expect(rest).toEqual([]);
  expect(artifact).toMatchObject({
    kind: 'sr',
    name: 'sr',
    fileName: 'sr.dcm',
    mediaType: 'application/dicom',
    id: identity.sr.SOPInstanceUID,
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34',
    sha256: sha256(artifact!.bytes),
  });
});

test('heat-maps are numbered in the order of SOP Instance UIDs, one an image', () => {
  const { identity, reading } = composition('two');
  const artifacts = heatmapSc.compose(composition('two'));
  expect(artifacts.map(({ name, fileName }) => [name, fileName])).toEqual([
    ['heatmap-1', 'heatmap-1.dcm'],
    ['heatmap-2', 'heatmap-2.dcm'],
  ]);
  expect(artifacts.map(({ id }) => id)).toEqual(
    reading.images.map(({ image }) => identity.images[image.SOPInstanceUID]!.heatmapSOPInstanceUID),
  );
});

test('an image without a picture has no heat-map, and a failed study has none', () => {
  expect(heatmapSc.compose(compose(readings['two']!, { withPictures: false }))).toEqual([]);
  expect(heatmapSc.compose(composition('failed'))).toEqual([]);
});

test('composing is pure: the same reading gives the same bytes', () => {
  for (const output of [dicomSr, heatmapSc]) {
    expect(output.compose(composition('two'))).toEqual(output.compose(composition('two')));
  }
});

test('a picture of 1,024 pixels is written whole', () => {
  const { pictures, ...rest } = composition('positive');
  const [uid] = Object.keys(pictures);
  const rgb = new Uint8Array(3 * 1024 * 1024).map((_, index) => index % 251);
  const picture = { columns: 1024, rows: 1024, rgb, jpeg: new Uint8Array() };
  const [artifact] = heatmapSc.compose({ ...rest, pictures: { [uid!]: picture } });
  expect(Buffer.compare(artifact!.bytes.subarray(-rgb.length), rgb)).toBe(0);
});
