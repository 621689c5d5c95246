import type { Code } from './study.ts';

/**
 * The coded concepts that our objects use, by the names that the code calls them.
 * `mappings/codes.json` gives each its value, scheme and meaning, once, with its edition.
 */
export const codeNames = [
  // document and context
  'imagingMeasurementReport',
  'languageOfContent',
  'english',
  'observerType',
  'device',
  'deviceObserverUid',
  'deviceObserverName',
  'deviceObserverManufacturer',
  'deviceObserverModelName',
  'procedureReported',
  'imagingProcedure',
  'plainChestRadiograph',
  // image library
  'imageLibrary',
  'imageLibraryGroup',
  'source',
  'modality',
  'computedRadiography',
  'digitalRadiography',
  'targetRegion',
  'chest',
  'imageView',
  'posteroAnterior',
  'anteroPosterior',
  'frontal',
  'studyDate',
  'studyTime',
  'acquisitionDate',
  'acquisitionTime',
  'rows',
  'columns',
  'pixels',
  'patientOrientationRow',
  'patientOrientationColumn',
  'horizontalPixelSpacing',
  'verticalPixelSpacing',
  'millimeter',
  // measurements
  'imagingMeasurements',
  'measurementGroup',
  'trackingIdentifier',
  'trackingUniqueIdentifier',
  'finding',
  'abnormalOpacity',
  'opacityDescriptor',
  'airSpace',
  'findingSite',
  'lung',
  'algorithmName',
  'algorithmVersion',
  'algorithmManufacturer',
  'algorithmParameters',
  'algorithmFamily',
  'artificialIntelligence',
  'probability',
  'noUnits',
  'present',
  'absent',
  'undetermined',
  'imageRegion',
  'sourceOfMeasurement',
  'visualExplanation',
  // evaluations
  'qualitativeEvaluations',
  'processingSummary',
  'allSucceededWithFindings',
  'allSucceededWithoutFindings',
  'notAllSucceededWithFindings',
  'notAllSucceededWithoutFindings',
  'noneSucceeded',
  'comment',
  // headers
  'processingEquipment',
  'sourceImage',
  'gradCam',
  'spatialResampling',
  // withdrawal
  'rejectedForPatientSafety',
  'keyObjectDescription',
  // FHIR
  'suspectedCovid19',
  'opacityRadLex',
  'opacityRadElement',
  'study',
] as const;

export type CodeName = (typeof codeNames)[number];
export type Codes = Readonly<Record<CodeName, Code>>;

/** FHIR code systems of the coding schemes that DICOM designates (PS3.16 table 8-1; FHIR R4 terminology). */
export const codeSystems: Readonly<Record<string, string>> = {
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  SCT: 'http://snomed.info/sct',
  LN: 'http://loinc.org',
  UCUM: 'http://unitsofmeasure.org',
  UMLS: 'http://terminology.hl7.org/CodeSystem/umls',
  RADLEX: 'http://www.radlex.org',
  RADELEMENT: 'https://radelement.org',
};
