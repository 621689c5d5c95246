import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Codes } from '../../src/core/codes.ts';
import { identify } from '../../src/core/ids.ts';
import type { Composition } from '../../src/core/ports.ts';
import type { Dataset } from '../../src/core/study.ts';
import { keywords } from '../../src/dicom/keywords.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { resultSeries } from '../../src/dicom/result-header.ts';
import {
  comprehensive3dSrStorage,
  keyObjectSelectionStorage,
  secondaryCaptureImageStorage,
} from '../../src/dicom/sop-classes.ts';
import { transferSyntaxes } from '../../src/dicom/transfer-syntax.ts';
import { acceptLadder } from '../../src/dicom/wado.ts';
import { dicomSr } from '../../src/outputs/dicom-sr.ts';
import { heatmapSc } from '../../src/outputs/heatmap-sc.ts';
import { parseCodes } from '../../src/outputs/index.ts';
import {
  makeImageHeader,
  makeImageReading,
  makePicture,
  makeReading,
  makeStudyHeader,
} from '../../test/support/readings.ts';

/** The tables of the DICOM Conformance Statement, from the code and from objects that it composes. */

type Row = readonly string[];

const table = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

interface SopClass {
  readonly uid: string;
  readonly name: string;
}

export function dicomTables(root: string): Readonly<Record<string, string>> {
  const mapping = (name: string) => JSON.parse(readFileSync(join(root, 'mappings', `${name}.json`), 'utf8')) as unknown;
  const { sopClasses } = mapping('selection') as { readonly sopClasses: Readonly<Record<string, readonly SopClass[]>> };
  const codes = parseCodes(mapping('codes'));
  return {
    'sop-classes-read': sopClassesRead(sopClasses),
    'sop-classes-written': table(
      ['SOP class', 'UID'],
      [
        ['Comprehensive 3D SR Storage', comprehensive3dSrStorage],
        ['Key Object Selection Document Storage', keyObjectSelectionStorage],
        ['Secondary Capture Image Storage', secondaryCaptureImageStorage],
      ],
    ),
    'transfer-syntaxes': transferSyntaxTable(),
    ...dicomweb(),
    series: table(
      ['object', 'Modality', 'SeriesNumber', 'SeriesDescription', 'Manufacturer', 'ManufacturerModelName'],
      Object.entries(resultSeries).map(([name, series]) => [
        name,
        series.Modality,
        String(series.SeriesNumber),
        series.SeriesDescription,
        'cxr-gateway project',
        'cxr-gateway',
      ]),
    ),
    'sr-attributes': attributeTable('sr', codes),
    'sc-attributes': attributeTable('heatmap', codes),
    codes: table(
      ['code', 'meaning'],
      Object.values(codes).map((code) => [`(${code.CodeValue}, ${code.CodingSchemeDesignator})`, code.CodeMeaning]),
    ),
  };
}

function sopClassesRead(groups: Readonly<Record<string, readonly SopClass[]>>): string {
  const when: Readonly<Record<string, string>> = {
    read: 'always',
    forProcessing: 'only with `selection.acceptForProcessing`',
    secondaryCapture: 'only with `selection.acceptSecondaryCaptureModality`, and in the command `read`',
  };
  const rows = Object.entries(when).flatMap(([group, condition]) =>
    (groups[group] ?? []).map(({ uid, name }) => [name, uid, condition]),
  );
  return table(['SOP class', 'UID', 'read'], rows);
}

function transferSyntaxTable(): string {
  const rows = Object.entries(transferSyntaxes).map(([uid, { name, pixels }]) => [name, uid, readable(pixels)]);
  return table(['transfer syntax', 'UID', 'read'], rows);
}

function dicomweb(): Readonly<Record<'qido' | 'wado' | 'stow', string>> {
  const search =
    'ModalitiesInStudy, StudyDate, StudyTime; includefield NumberOfStudyRelatedInstances, ModalitiesInStudy';
  return {
    qido: table(
      ['resource', 'used for', 'keys'],
      [
        ['`/studies`', 'finding new studies; paged with `limit` and `offset`', search],
        [
          '`/studies`',
          'whose study it is, before results are written',
          'StudyInstanceUID; includefield PatientID, IssuerOfPatientID',
        ],
      ],
    ),
    wado: table(
      ['resource', 'used for', 'Accept'],
      [
        ['`/studies/{study}/metadata`', 'selection', '`application/dicom+json`'],
        [
          '`/studies/{study}/series/{series}/instances/{instance}/metadata`',
          'reading back',
          '`application/dicom+json`',
        ],
        [
          '`/studies/{study}/series/{series}/instances/{instance}`',
          'the image; what a server accepted last is asked for first',
          acceptLadder.map((accept) => `\`${accept}\``).join(', then '),
        ],
      ],
    ),
    stow: table(
      ['resource', 'body', 'Accept'],
      [
        [
          '`/studies`',
          '`multipart/related; type="application/dicom"`, heat-maps first, then the SR, in one request',
          '`application/dicom+json`',
        ],
      ],
    ),
  };
}

/** A result with everything that a source may tell, and one with the least. */
function compositions(codes: Codes): readonly [full: Composition, least: Composition] {
  const code = { CodeValue: '399208008', CodingSchemeDesignator: 'SCT', CodeMeaning: 'Plain X-ray of chest' };
  const full = makeReading({
    study: makeStudyHeader({
      IssuerOfPatientID: 'HOSPITAL',
      RequestedProcedureID: 'RP1',
      RequestedProcedureCodeSequence: [code],
      ProcedureCodeSequence: [code],
      OtherPatientIDsSequence: [{ '00100020': { vr: 'LO', Value: ['OTHER'] } }],
    }),
    images: [
      makeImageReading({
        image: makeImageHeader({
          LossyImageCompression: '01',
          LossyImageCompressionRatio: [10],
          LossyImageCompressionMethod: ['ISO_10918_1'],
        }),
      }),
    ],
    predecessor: {
      StudyInstanceUID: '1.2',
      SeriesInstanceUID: '1.2.3',
      SOPInstanceUID: '1.2.3.4',
      SOPClassUID: comprehensive3dSrStorage,
    },
  });
  const nothing = Object.fromEntries(
    Object.entries(makeStudyHeader()).map(([keyword, value]) => [keyword, Array.isArray(value) ? [] : null]),
  ) as unknown as ReturnType<typeof makeStudyHeader>;
  const image = makeImageHeader({
    PatientOrientation: null,
    ImagerPixelSpacing: null,
    BurnedInAnnotation: null,
    LossyImageCompression: null,
  });
  const least = makeReading({
    study: { ...nothing, StudyInstanceUID: image.StudyInstanceUID },
    images: [makeImageReading({ score: 0.1, image })],
  });
  return [compose(full, codes), compose(least, codes)];
}

function compose(reading: Composition['reading'], codes: Codes): Composition {
  const identity = identify(reading, 'for the conformance statement');
  const pictures = Object.fromEntries(reading.images.map(({ image }) => [image.SOPInstanceUID, makePicture()]));
  const gateway = { manufacturer: 'cxr-gateway project', modelName: 'cxr-gateway', softwareVersion: '0' };
  return { reading, identity, pictures, codes, gateway };
}

const copied = new Set([
  ...Object.keys(makeStudyHeader()),
  'PatientOrientation',
  'BurnedInAnnotation',
  'LossyImageCompression',
]);

function attributeTable(kind: 'sr' | 'heatmap', codes: Codes): string {
  const output = kind === 'sr' ? dicomSr : heatmapSc;
  const [full, least] = compositions(codes).map((composition): Dataset => {
    const [artifact] = output.compose(composition);
    return parsePart10(artifact!.bytes).header;
  });
  const names = Object.fromEntries(Object.entries(keywords).map(([keyword, [tag]]) => [tag, keyword]));
  const rows = [
    ...new Set([...Object.keys(full!), ...Object.keys(least!), ...(kind === 'heatmap' ? ['7FE00010'] : [])]),
  ]
    .sort()
    .map((tag) => {
      const keyword = names[tag] ?? tag;
      const source = copied.has(keyword) ? 'COPY' : keyword === 'TimezoneOffsetFromUTC' ? 'COPY or CONFIG' : 'AUTO';
      return [keyword, `(${tag.slice(0, 4)},${tag.slice(4)})`, presence(tag, full!, least!), source];
    });
  return table(['attribute', 'tag', 'presence', 'source'], rows);
}

function presence(tag: string, full: Dataset, least: Dataset): string {
  if (tag === '7FE00010') return 'ALWAYS';
  if (!full[tag] || !least[tag]) return 'ANAP';
  return least[tag].Value && least[tag].Value.length > 0 ? 'ALWAYS' : full[tag].Value?.length ? 'VNAP' : 'EMPTY';
}

const readable = (pixels: unknown): string => (pixels === null ? 'no: `unsupported-transfer-syntax`' : 'yes');
