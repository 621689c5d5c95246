import { build } from '../../src/dicom/build.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';

/** Small objects for the archive: a film of 4 × 2 pixels under any identity. */
export interface Small {
  readonly study?: string;
  readonly series?: string;
  readonly image: string;
  readonly patientName?: string;
  readonly modality?: 'CR' | 'DX' | 'OT';
  readonly date?: string;
  readonly pixel?: number;
}

export function smallFilm({
  study = '1.2.3',
  series = `${study}.1`,
  image,
  patientName = 'PHANTOM^SMALL',
  modality = 'DX',
  date = '20260102',
  pixel = 7,
}: Small): Uint8Array {
  return writePart10(
    build({
      SpecificCharacterSet: 'ISO_IR 192',
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
      SOPInstanceUID: image,
      StudyInstanceUID: study,
      SeriesInstanceUID: series,
      StudyDate: date,
      PatientName: patientName,
      PatientID: 'SMALL-1',
      AccessionNumber: 'A1',
      Modality: modality,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      Rows: 2,
      Columns: 4,
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      PixelData: Uint8Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? pixel + index : 0)),
    }),
  );
}

export interface StowPart {
  readonly bytes: Uint8Array;
}

/** POSTs files as STOW-RS wants them; `boundary` and `end` may be broken on purpose. */
export async function stow(
  url: string,
  files: readonly Uint8Array[],
  { boundary = 'small-boundary', end = `--${boundary}--\r\n` }: { boundary?: string; end?: string } = {},
): Promise<Response> {
  const parts = files.flatMap((bytes) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}` },
    body: Buffer.concat([...parts, Buffer.from(end)]),
  });
}

/** The parts of a multipart answer, cut by the announced lengths and not by the boundary: another way than the archive's own. */
export async function partsOf(response: Response): Promise<readonly Buffer[]> {
  const body = Buffer.from(await response.arrayBuffer());
  const parts: Buffer[] = [];
  for (let at = body.indexOf('\r\n\r\n'); at >= 0; at = body.indexOf('\r\n\r\n', at)) {
    const header = body.subarray(Math.max(0, at - 200), at).toString('latin1');
    const length = Number(/.*Content-Length: (\d+)/s.exec(header)?.[1]);
    parts.push(body.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}
