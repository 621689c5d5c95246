import { turnOf } from '../core/orientation.ts';
import type { Codes, Composition } from '../core/ports.ts';
import type { ImageHeader, ImageReading, Picture, Reading } from '../core/reading.ts';
import type { Dataset } from '../core/study.ts';
import { findingSentence, reviewNotice, scoreSentence, untrainedNotice } from '../core/wording.ts';
import { type Attributes, build, codeItem } from './build.ts';
import { sopReference, sopReferenceContent } from './content-item.ts';
import { contributingEquipment, equipment, patientAndStudy, resultSeries, times } from './result-header.ts';
import { secondaryCaptureImageStorage } from './sop-classes.ts';

/**
 * The Grad-CAM picture of one image as Secondary Capture (PS3.3 A.8.1), RGB. `number` counts the heat-maps of the
 * reading from 1.
 */
export function heatmapCapture(
  entry: ImageReading,
  picture: Picture,
  number: number,
  { reading, identity, codes, gateway }: Composition,
): Dataset {
  return build({
    ...patientAndStudy(reading.study),
    ...equipment(gateway),
    ...captureDevice(gateway, reading),
    ...resultSeries.heatmap,
    SOPClassUID: secondaryCaptureImageStorage,
    SOPInstanceUID: identity.images[entry.image.SOPInstanceUID]!.heatmapSOPInstanceUID,
    SeriesInstanceUID: identity.heatmapSeriesInstanceUID,
    InstanceNumber: number,
    // Without it Laterality would be required (PS3.3 C.7.3.1).
    BodyPartExamined: 'CHEST',
    ImageType: ['DERIVED', 'SECONDARY'],
    PatientOrientation: orientationOf(entry.image),
    ContributingEquipmentSequence: contributingEquipment(reading.model, codes),
    ...derivation(entry, reading, codes),
    ...history(entry.image),
    RecognizableVisualFeatures: 'NO',
    ...pixels(picture),
  });
}

/** The picture is drawn as the film is hung. */
function orientationOf({ PatientOrientation: source }: ImageHeader): ImageHeader['PatientOrientation'] {
  return source && turnOf(source) ? ['L', 'F'] : source;
}

/** SC Equipment; WSD: made by a workstation, neither digitized nor drawn (PS3.3 C.8.6.1). */
function captureDevice(gateway: Composition['gateway'], reading: Reading): Attributes {
  const written = times(reading);
  return {
    ...written,
    ConversionType: 'WSD',
    SecondaryCaptureDeviceManufacturer: gateway.manufacturer,
    SecondaryCaptureDeviceManufacturerModelName: gateway.modelName,
    SecondaryCaptureDeviceSoftwareVersions: gateway.softwareVersion,
    DateOfSecondaryCapture: written.ContentDate,
    TimeOfSecondaryCapture: written.ContentTime,
  };
}

function derivation({ image, score, decision }: ImageReading, { model, settings }: Reading, codes: Codes): Attributes {
  const description = [
    ...(model.training === 'untrained' ? [untrainedNotice] : []),
    findingSentence(decision, settings),
    scoreSentence(score, settings.operatingPoint),
    `Grad-CAM of ${model.name} ${model.version} for airspace opacity at its last feature map, ReLU,`,
    'on a colour scale fixed for the model, blended over the source image; legend burned in.',
    reviewNotice,
  ].join(' ');
  return {
    DerivationDescription: description,
    DerivationCodeSequence: [codeItem(codes.gradCam), codeItem(codes.spatialResampling)],
    SourceImageSequence: [
      build({
        ...sopReferenceContent(image),
        PurposeOfReferenceCodeSequence: [codeItem(codes.sourceImage)],
        // Resampled, with a legend beside it.
        SpatialLocationsPreserved: 'NO',
      }),
    ],
    ReferencedSeriesSequence: [
      build({ SeriesInstanceUID: image.SeriesInstanceUID, ReferencedInstanceSequence: [sopReference(image)] }),
    ],
  };
}

/** What the source went through stays true of its picture: lossy once is lossy for ever; a silent source is not answered for. */
function history(source: ImageHeader): Attributes {
  const lossy = source.LossyImageCompression === '01';
  return {
    BurnedInAnnotation: source.BurnedInAnnotation ?? undefined,
    LossyImageCompression: source.LossyImageCompression ?? undefined,
    LossyImageCompressionRatio: lossy ? someOf(source.LossyImageCompressionRatio) : undefined,
    LossyImageCompressionMethod: lossy ? someOf(source.LossyImageCompressionMethod) : undefined,
  };
}

const someOf = <T>(values: readonly T[]): readonly T[] | undefined => (values.length > 0 ? values : undefined);

function pixels({ columns, rows, rgb }: Picture): Attributes {
  return {
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: rows,
    Columns: columns,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: rgb,
  };
}
