import type { Codes } from '../core/ports.ts';
import type { ImageReading, StudyHeader, View } from '../core/reading.ts';
import type { Code, Dataset } from '../core/study.ts';
import { code, container, date, image, numeric, text, time } from './content-item.ts';

/** The images that the report is about, described (TID 1600, 1601, 1602 and, for projections, 1603). */

/** One group for all images: viewers read the first group only. */
export function imageLibrary(images: readonly ImageReading[], study: StudyHeader, codes: Codes): Dataset {
  const entries = images.map(({ image: header, view }) =>
    image('CONTAINS', codes.source, header, descriptors({ header, view, study, codes })),
  );
  return container('CONTAINS', codes.imageLibrary, [container('CONTAINS', codes.imageLibraryGroup, entries)]);
}

interface Described {
  readonly header: ImageReading['image'];
  readonly view: View;
  readonly study: StudyHeader;
  readonly codes: Codes;
}

/**
 * The optional Target Region is left out: the code of CID 4031 for the chest changed (51185008 until 2022, then 816094009),
 * so that whichever we wrote, the validators of one half of the sites would call it an error.
 */
function descriptors({ header, view, study, codes }: Described): readonly Dataset[] {
  const { Modality, Rows, Columns, PatientOrientation } = header;
  const dateOf = (name: Code, value: string | null) => (value === null ? [] : [date('HAS ACQ CONTEXT', name, value)]);
  const timeOf = (name: Code, value: string | null) => (value === null ? [] : [time('HAS ACQ CONTEXT', name, value)]);
  const count = (name: Code, value: number) => numeric('HAS ACQ CONTEXT', name, value, codes.pixels);
  return [
    code('HAS ACQ CONTEXT', codes.modality, Modality === 'CR' ? codes.computedRadiography : codes.digitalRadiography),
    code('HAS ACQ CONTEXT', codes.imageView, viewCode(view, codes)),
    ...dateOf(codes.studyDate, study.StudyDate),
    ...timeOf(codes.studyTime, study.StudyTime),
    ...dateOf(codes.acquisitionDate, header.AcquisitionDate),
    ...timeOf(codes.acquisitionTime, header.AcquisitionTime),
    count(codes.rows, Rows),
    count(codes.columns, Columns),
    ...(PatientOrientation === null
      ? []
      : [
          text('HAS ACQ CONTEXT', codes.patientOrientationRow, PatientOrientation[0]),
          text('HAS ACQ CONTEXT', codes.patientOrientationColumn, PatientOrientation[1]),
        ]),
    ...spacing(header, codes),
  ];
}

/** The spacing at the detector, as TID 1603 wants it; the calibrated one where that is all there is. */
function spacing({ ImagerPixelSpacing, PixelSpacing }: Described['header'], codes: Codes): readonly Dataset[] {
  const millimeters = ImagerPixelSpacing ?? PixelSpacing;
  if (millimeters === null) return [];
  const [vertical, horizontal] = millimeters;
  return [
    numeric('HAS ACQ CONTEXT', codes.horizontalPixelSpacing, horizontal, codes.millimeter),
    numeric('HAS ACQ CONTEXT', codes.verticalPixelSpacing, vertical, codes.millimeter),
  ];
}

function viewCode(view: View, codes: Codes): Code {
  if (view === 'PA') return codes.posteroAnterior;
  return view === 'AP' ? codes.anteroPosterior : codes.frontal;
}
