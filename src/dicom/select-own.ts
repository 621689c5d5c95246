import type { Dataset } from '../core/study.ts';
import { items, text, texts } from './dataset.ts';
import { type Gate, refuse } from './select-gate.ts';
import { phraseIn, quote } from './select-words.ts';

/**
 * The four brakes against reading our own results (fault 60). Each stands for itself: a result that loses its UID record,
 * its Manufacturer, its ImageType or its class on the way through an archive is still stopped by another one.
 */

/** Brake 1: the UID is in our record of what we made. */
export const ownUid: Gate = (header, { context }) => {
  const uid = text(header, 'SOPInstanceUID');
  return uid !== null && context.ownUids.has(uid) ? refuse('own-output', 'SOPInstanceUID is one of ours') : null;
};

/** Brake 2: the equipment is ours, by name or by the DeviceUID of one of our models (IHE AIR 6.5.3.1). */
export const ownEquipment: Gate = (header, { rules, context }) => {
  const equipment = [header, ...items(header, 'ContributingEquipmentSequence')];
  const { manufacturers, modelNames } = rules.images.ownEquipment;
  if (equipment.some((item) => isOneOfNames(text(item, 'Manufacturer'), manufacturers))) {
    return refuse('own-output', 'Manufacturer is this gateway');
  }
  if (equipment.some((item) => isOneOfNames(text(item, 'ManufacturerModelName'), modelNames))) {
    return refuse('own-output', 'ManufacturerModelName is this gateway');
  }
  const uids = equipment.flatMap((item) => texts(item, 'DeviceUID'));
  return uids.some((uid) => context.ownDeviceUids.has(uid))
    ? refuse('own-output', 'DeviceUID is one of our models')
    : null;
};

function isOneOfNames(name: string | null, names: readonly string[]): boolean {
  return name !== null && names.some((own) => own.toLowerCase() === name.toLowerCase());
}

/** Brake 3: ImageType value 2 is SECONDARY (PS3.3 C.7.6.1.1.2), as in every picture that we write. */
export const secondaryImage: Gate = (header, { rules }) => {
  const [, examination] = imageTypeOf(header);
  if (examination === 'SECONDARY') return refuse('secondary-image', 'ImageType value 2 is SECONDARY');
  const conversion = text(header, 'ConversionType');
  return conversion !== null && rules.images.drawnConversionTypes.includes(conversion)
    ? refuse('secondary-image', quote(header, 'ConversionType'))
    : null;
};

/** Some writers put all values into one, with a space or a slash between them. */
export function imageTypeOf(header: Dataset): readonly string[] {
  const values = texts(header, 'ImageType');
  const [only] = values;
  return (values.length === 1 && only !== undefined ? only.split(/[\s/\\]+/) : values).map((value) =>
    value.trim().toUpperCase(),
  );
}

/**
 * Brake 4: only CR and DX classes with modality CR or DX. A film in a Secondary Capture class passes where the site
 * accepts it, and only with coded body part and view; our own captures have modality OT.
 */
export const radiographOnly: Gate = (header, { rules }) => {
  const { sopClasses, modalities } = rules.images;
  const sopClass = text(header, 'SOPClassUID');
  const modality = text(header, 'Modality');
  const listed = (classes: readonly { readonly uid: string }[]) => classes.some(({ uid }) => uid === sopClass);
  const because = [quote(header, 'SOPClassUID'), quote(header, 'Modality')];
  if (modality === null || !modalities.includes(modality)) return refuse('not-radiograph', ...because);
  if (listed(sopClasses.read) || listed(sopClasses.forProcessing)) return null;
  if (!listed(sopClasses.secondaryCapture)) return refuse('not-radiograph', ...because);
  if (!rules.options.acceptSecondaryCaptureModality) {
    return refuse('not-radiograph', ...because, 'selection.acceptSecondaryCaptureModality=false');
  }
  const coded = codedAsFrontalChest(header, rules);
  return coded
    ? null
    : refuse('not-radiograph', ...because, 'BodyPartExamined and ViewPosition not coded as frontal chest');
};

function codedAsFrontalChest(header: Dataset, { images, views }: Parameters<Gate>[1]['rules']): boolean {
  const part = text(header, 'BodyPartExamined')?.toUpperCase();
  const position = text(header, 'ViewPosition')?.toUpperCase();
  const frontal = [...views.positions.PA, ...views.positions.AP, ...views.positions.frontal];
  return (
    part !== undefined &&
    images.bodyPart.chestTerms.includes(part) &&
    position !== undefined &&
    frontal.includes(position) &&
    phraseIn(text(header, 'SeriesDescription'), images.derived.words) === null
  );
}
