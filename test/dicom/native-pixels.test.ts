import { build } from '../../src/dicom/build.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';

/** Pixels go past dcmjs, and must come out as it would write them. */

const object = (pixels: Uint8Array) =>
  writePart10(
    build({
      SpecificCharacterSet: 'ISO_IR 192',
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
      SOPInstanceUID: '2.25.1',
      StudyInstanceUID: '2.25.2',
      SeriesInstanceUID: '2.25.3',
      PixelData: pixels,
    }),
  );

test('native pixels stand last, as OW with a long even length, because PS3.5 7.1.1 and 8.1.1 want them so', () => {
  const file = Buffer.from(object(Uint8Array.of(1, 2, 3, 4)));
  expect(file.subarray(-16).toString('hex')).toBe('e07f10004f5700000400000001020304');
  const odd = Buffer.from(object(Uint8Array.of(1, 2, 3)));
  expect(odd.subarray(-16).toString('hex')).toBe('e07f10004f5700000400000001020300');
});

test('a view into larger bytes is written as what it shows, because a picture may lie in a message of the reader', () => {
  const { pixelData, header } = parsePart10(object(new Uint8Array(100).fill(7).subarray(10, 14)));
  expect([...(pixelData?.bytes ?? [])]).toEqual([7, 7, 7, 7]);
  expect(header['0020000D']?.Value).toEqual(['2.25.2']);
});
