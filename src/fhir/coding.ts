import { codeSystems } from '../core/codes.ts';
import { Failure } from '../core/failure.ts';
import type { Code } from '../core/study.ts';
import type { CodeableConcept, Coding } from './types.ts';

/** Codes of DICOM as codes of FHIR, and the few code systems that only FHIR knows. */

const hl7 = (name: string): string => `http://terminology.hl7.org/CodeSystem/${name}`;

export const systems = {
  observationCategory: hl7('observation-category'),
  diagnosticService: hl7('v2-0074'),
  identifierType: hl7('v2-0203'),
  interpretation: hl7('v3-ObservationInterpretation'),
  observationValue: hl7('v3-ObservationValue'),
  dataAbsentReason: hl7('data-absent-reason'),
  endpointConnection: hl7('endpoint-connection-type'),
  participant: hl7('provenance-participant-type'),
  dataOperation: hl7('v3-DataOperation'),
  loinc: 'http://loinc.org',
  ucum: 'http://unitsofmeasure.org',
  uri: 'urn:ietf:rfc:3986',
  /** Identifier system of DICOM UIDs (R4 ImagingStudy, "Identifying an imaging study"). */
  dicomUid: 'urn:dicom:uid',
  /** Ours. */
  label: 'urn:cxr-gateway:label',
  result: 'urn:cxr-gateway:result',
  /** Of a resource that a race made twice: what was its `result` identifier. */
  duplicate: 'urn:cxr-gateway:duplicate',
} as const;

/** A coded concept in FHIR. A scheme without a FHIR system is a fault of `mappings/codes.json`, not of the study. */
export function coding({ CodeValue, CodingSchemeDesignator, CodeMeaning }: Code): Coding {
  const system = codeSystems[CodingSchemeDesignator];
  if (system === undefined) {
    throw new Failure('internal', {
      where: 'coding scheme',
      expected: 'one that FHIR names',
      got: CodingSchemeDesignator,
    });
  }
  return { system, code: CodeValue, display: CodeMeaning };
}

/** The same for a code of the source: one of a private or unknown scheme has no system and cannot be a coding. */
export function sourceConcept(code: Code): CodeableConcept {
  const known = codeSystems[code.CodingSchemeDesignator] !== undefined;
  return known ? { coding: [coding(code)], text: code.CodeMeaning } : { text: code.CodeMeaning };
}

export const concept = (...codes: readonly Code[]): CodeableConcept => ({ coding: codes.map(coding) });

export const fhirConcept = (system: string, code: string, display: string): CodeableConcept => ({
  coding: [{ system, code, display }],
});

/** A SOP class as ImagingStudy codes it. */
export const sopClass = (uid: string): Coding => ({ system: systems.uri, code: `urn:oid:${uid}` });
