import type { Codes, Composition } from '../core/ports.ts';
import { fellBack, type ProviderUse } from '../core/provider.ts';
import type { ImageReading, ModelIdentity, Reading } from '../core/reading.ts';
import type { Dataset } from '../core/study.ts';
import { code, container, image, numeric, polyline, text, uidReference } from './content-item.ts';
import { algorithmOf } from './result-header.ts';
import { secondaryCaptureImageStorage } from './sop-classes.ts';

/** What the model measured on one image (TID 1501, with TID 4019 and TID 300 in it). */
export function measurementGroup(entry: ImageReading, composition: Composition): Dataset {
  const { reading, codes } = composition;
  const isPresent = entry.decision === 'present';
  const source = entry.image;
  return container(
    'CONTAINS',
    codes.measurementGroup,
    [
      ...tracking(entry, composition),
      // A viewer takes "Finding" for "this was found": it stands in positives only.
      ...(isPresent ? [code('CONTAINS', codes.finding, codes.abnormalOpacity)] : []),
      code('HAS CONCEPT MOD', codes.findingSite, codes.lung),
      ...algorithm(entry, reading, codes),
      numeric('CONTAINS', codes.probability, entry.score, codes.noUnits, [
        code('HAS CONCEPT MOD', codes.finding, codes.abnormalOpacity),
      ]),
      code('CONTAINS', codes.abnormalOpacity, isPresent ? codes.present : codes.absent),
      ...(isPresent ? [code('CONTAINS', codes.opacityDescriptor, codes.airSpace)] : []),
      polyline('CONTAINS', codes.imageRegion, entry.region, source),
      image('CONTAINS', codes.sourceOfMeasurement, source),
      ...explanation(entry, composition),
    ],
    '1501',
  );
}

function tracking({ image: { SOPInstanceUID } }: ImageReading, { reading, identity, codes }: Composition) {
  const { trackingUid } = identity.images[SOPInstanceUID]!;
  return [
    text('HAS OBS CONTEXT', codes.trackingIdentifier, `Airspace opacity, ${reading.model.id}, ${SOPInstanceUID}`),
    uidReference('HAS OBS CONTEXT', codes.trackingUniqueIdentifier, trackingUid),
  ];
}

/** TID 4019: which algorithm, and what one must know to run it again. */
function algorithm({ provider }: ImageReading, { model, settings }: Reading, codes: Codes): readonly Dataset[] {
  const { Manufacturer, ManufacturerModelName, SoftwareVersions } = algorithmOf(model);
  return [
    text('HAS CONCEPT MOD', codes.algorithmName, ManufacturerModelName),
    text('HAS CONCEPT MOD', codes.algorithmVersion, SoftwareVersions),
    text('HAS CONCEPT MOD', codes.algorithmManufacturer, Manufacturer),
    ...[...parameters(model, settings.operatingPoint), ...providerParameters(provider)].map((parameter) =>
      text('HAS CONCEPT MOD', codes.algorithmParameters, parameter),
    ),
    code('HAS CONCEPT MOD', codes.algorithmFamily, codes.artificialIntelligence),
  ];
}

function parameters(
  { sha256, precision, preprocessing, training }: ModelIdentity,
  operatingPoint: number,
): readonly string[] {
  return [
    `decision_threshold=${operatingPoint}`,
    `model_sha256=${sha256}`,
    `precision=${precision}`,
    `preprocessing=${preprocessing}`,
    `training=${training}`,
  ];
}

/** A fall-back names what was asked for: whoever wonders about a time or a last digit finds it here. */
function providerParameters(provider: ProviderUse): readonly string[] {
  return [`provider=${provider.used}`, ...(fellBack(provider) ? [`provider_asked=${provider.asked}`] : [])];
}

function explanation({ image: { SOPInstanceUID } }: ImageReading, { pictures, identity, codes }: Composition) {
  if (!pictures[SOPInstanceUID]) return [];
  const heatmap = {
    SOPClassUID: secondaryCaptureImageStorage,
    SOPInstanceUID: identity.images[SOPInstanceUID]!.heatmapSOPInstanceUID,
  };
  return [image('CONTAINS', codes.visualExplanation, heatmap)];
}
