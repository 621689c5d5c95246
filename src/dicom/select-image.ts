import { number, text } from './dataset.ts';
import type { Keyword } from './keywords.ts';
import { type Gate, refuse } from './select-gate.ts';
import { imageTypeOf } from './select-own.ts';
import { conceptsOf, fitsPattern, isOneOf, phraseIn, quote, quoteConcept, quoteWord } from './select-words.ts';

/** Rules about what kind of image it is: intent, derivation, quality control, pixels. */

/** Texts about this image. StudyDescription tells of all images of the study and says nothing here. */
export const imageTexts = [
  'SeriesDescription',
  'ProtocolName',
  'AcquisitionDeviceProcessingDescription',
] as const satisfies readonly Keyword[];

/** Raw detector data: the class, or PresentationIntentType (0008,0068), which old CR writers also set (fault 14). */
export const presentationOnly: Gate = (header, { rules }) => {
  if (rules.options.acceptForProcessing) return null;
  const sopClass = text(header, 'SOPClassUID');
  if (rules.images.sopClasses.forProcessing.some(({ uid }) => uid === sopClass)) {
    return refuse('for-processing', quote(header, 'SOPClassUID'));
  }
  return text(header, 'PresentationIntentType') === 'FOR PROCESSING'
    ? refuse('for-processing', quote(header, 'PresentationIntentType'))
    : null;
};

/**
 * Bone suppression, dual energy, CAD and the like (fault 61). DERIVED\PRIMARY alone is what every processed film is, and
 * passes; value 3 and later, DerivationCodeSequence and the texts are what tells.
 */
export const undistorted: Gate = (header, { rules: { images } }) => {
  const { imageTypeWords, words, codes } = images.derived;
  const kind = phraseIn(imageTypeOf(header).slice(2).join(' '), imageTypeWords);
  if (kind !== null) return refuse('derived-processing', quoteWord('ImageType', kind));
  const derivation = conceptsOf(header, 'DerivationCodeSequence').find((concept) => isOneOf(concept, codes));
  if (derivation) return refuse('derived-processing', quoteConcept('DerivationCodeSequence', derivation));
  for (const keyword of ['DerivationDescription', ...imageTexts] as const) {
    const phrase = phraseIn(text(header, keyword), words);
    if (phrase !== null) return refuse('derived-processing', quoteWord(keyword, phrase));
  }
  return null;
};

/** Quality control, phantoms, animals (fault 22). */
export const patientOnly: Gate = (header, { rules: { images, options } }) => {
  const { words, humanWords, humanCodes, phantomCodes } = images.qualityControl;
  if (text(header, 'QualityControlImage') === 'YES') return refuse('quality-control', 'QualityControlImage=YES');
  const id = text(header, 'PatientID');
  const pattern = options.qualityControlPatientIds.find((candidate) => id !== null && fitsPattern(id, candidate));
  if (pattern !== undefined)
    return refuse('quality-control', `PatientID fits selection.qualityControlPatientIds ${pattern}`);
  const species = text(header, 'PatientSpeciesDescription');
  if (species !== null && phraseIn(species, humanWords) === null) {
    return refuse('quality-control', 'PatientSpeciesDescription is not human');
  }
  const foreign = conceptsOf(header, 'PatientSpeciesCodeSequence').find((concept) => !isOneOf(concept, humanCodes));
  if (foreign) return refuse('quality-control', quoteConcept('PatientSpeciesCodeSequence', foreign));
  const phantom = conceptsOf(header, 'AnatomicRegionSequence').find((concept) => isOneOf(concept, phantomCodes));
  if (phantom) return refuse('quality-control', quoteConcept('AnatomicRegionSequence', phantom));
  for (const keyword of ['BodyPartExamined', 'StudyDescription', ...imageTexts] as const) {
    const phrase = phraseIn(text(header, keyword), words);
    if (phrase !== null) return refuse('quality-control', quoteWord(keyword, phrase));
  }
  return null;
};

/** Rows and Columns stand for the pixels: neither metadata nor a header carries PixelData (faults 15, 16). */
export const singleGrayFrame: Gate = (header, { rules: { images } }) => {
  const rows = number(header, 'Rows');
  const columns = number(header, 'Columns');
  if (!rows || !columns) return refuse('no-pixels', !rows ? 'Rows absent' : 'Columns absent');
  const frames = number(header, 'NumberOfFrames');
  if (frames !== null && frames > 1) return refuse('multi-frame', `NumberOfFrames=${frames}`);
  const samples = number(header, 'SamplesPerPixel');
  if (samples !== null && samples !== 1) return refuse('not-grayscale', `SamplesPerPixel=${samples}`);
  const photometric = text(header, 'PhotometricInterpretation');
  if (photometric !== null && !images.photometricInterpretations.includes(photometric)) {
    return refuse('not-grayscale', quote(header, 'PhotometricInterpretation'));
  }
  return rows < images.minimum.rows || columns < images.minimum.columns
    ? refuse('too-small', `Rows=${rows}`, `Columns=${columns}`)
    : null;
};
