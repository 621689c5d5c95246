/**
 * The FHIR R4 (4.0.1) elements that the gateway writes or reads, and no others: what is not here cannot be written by
 * mistake. Cardinalities are those of the specification, or stricter where we always write the element.
 */

export interface Coding {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}

export interface CodeableConcept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}

export interface Identifier {
  readonly type?: CodeableConcept;
  readonly system?: string;
  readonly value: string;
  readonly assigner?: { readonly display: string };
}

export interface Reference {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: Identifier;
  readonly display?: string;
}

export interface Quantity {
  readonly value: number;
  readonly unit: string;
  readonly system: string;
  readonly code: string;
}

export interface Annotation {
  readonly text: string;
}

export interface Attachment {
  readonly contentType: string;
  readonly language: string;
  /** Base64. */
  readonly data: string;
  /** Bytes before base64. */
  readonly size: number;
  /** Base64 of the SHA-1 of the bytes (R4 Attachment.hash). */
  readonly hash: string;
  readonly title: string;
  readonly creation: string;
}

export interface StringExtension {
  readonly url: string;
  readonly valueCode: string;
}

export interface HumanName {
  readonly extension?: readonly StringExtension[];
  readonly text: string;
  readonly family?: string;
  readonly given?: readonly string[];
  readonly prefix?: readonly string[];
  readonly suffix?: readonly string[];
}

export interface Meta {
  readonly versionId?: string;
  readonly lastUpdated?: string;
  readonly tag?: readonly Coding[];
  readonly security?: readonly Coding[];
}

export interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: Meta;
}

interface Stored extends Resource {
  readonly id: string;
}

export interface Device extends Stored {
  readonly resourceType: 'Device';
  readonly identifier: readonly Identifier[];
  readonly status: 'active';
  readonly manufacturer: string;
  readonly deviceName: readonly { readonly name: string; readonly type: 'user-friendly-name' | 'model-name' }[];
  readonly type: CodeableConcept;
  readonly version: readonly { readonly value: string }[];
  readonly property?: readonly { readonly type: CodeableConcept; readonly valueCode: readonly CodeableConcept[] }[];
  readonly note?: readonly Annotation[];
  readonly parent?: Reference;
}

export interface Endpoint extends Stored {
  readonly resourceType: 'Endpoint';
  readonly identifier: readonly Identifier[];
  readonly status: 'active';
  readonly connectionType: Coding;
  readonly name: string;
  readonly payloadType: readonly CodeableConcept[];
  readonly payloadMimeType: readonly string[];
  readonly address: string;
}

export interface ImagingStudyInstance {
  readonly uid: string;
  readonly sopClass: Coding;
  readonly number?: number;
}

export interface ImagingStudySeries {
  readonly uid: string;
  readonly number?: number;
  readonly modality: Coding;
  readonly bodySite: Coding;
  readonly instance: readonly ImagingStudyInstance[];
}

/** A patient or practitioner that the header names and nothing identifies: it exists inside our resource only. */
export interface Contained {
  readonly resourceType: 'Patient' | 'Practitioner';
  readonly id: string;
  readonly name?: readonly HumanName[];
  readonly gender?: 'male' | 'female' | 'other';
  readonly birthDate?: string;
}

export interface ImagingStudy extends Stored {
  readonly resourceType: 'ImagingStudy';
  readonly contained?: readonly Contained[];
  readonly identifier: readonly Identifier[];
  readonly status: 'available';
  readonly modality?: readonly Coding[];
  readonly subject: Reference;
  readonly started?: string;
  readonly basedOn?: readonly Reference[];
  readonly referrer?: Reference;
  readonly endpoint?: readonly Reference[];
  readonly procedureCode?: readonly CodeableConcept[];
  readonly description?: string;
  readonly series: readonly ImagingStudySeries[];
}

export interface ObservationComponent {
  readonly code: CodeableConcept;
  readonly valueQuantity: Quantity;
  readonly referenceRange: readonly { readonly high: Quantity; readonly text: string }[];
}

export interface Observation extends Stored {
  readonly resourceType: 'Observation';
  readonly meta: Meta;
  readonly contained?: readonly Contained[];
  readonly identifier: readonly Identifier[];
  readonly status: 'preliminary';
  readonly category: readonly CodeableConcept[];
  readonly code: CodeableConcept;
  readonly subject: Reference;
  readonly effectiveDateTime?: string;
  readonly issued: string;
  readonly valueCodeableConcept?: CodeableConcept;
  /** Only without a value (obs-6). */
  readonly dataAbsentReason?: CodeableConcept;
  readonly interpretation: readonly CodeableConcept[];
  readonly note: readonly Annotation[];
  readonly bodySite: CodeableConcept;
  readonly method: CodeableConcept;
  readonly device: Reference;
  readonly derivedFrom: readonly Reference[];
  readonly component?: readonly ObservationComponent[];
}

export interface DiagnosticReport extends Stored {
  readonly resourceType: 'DiagnosticReport';
  readonly meta: Meta;
  readonly text: { readonly status: 'generated'; readonly div: string };
  readonly contained?: readonly Contained[];
  readonly identifier: readonly Identifier[];
  readonly basedOn?: readonly Reference[];
  readonly status: 'preliminary';
  readonly category: readonly CodeableConcept[];
  readonly code: CodeableConcept;
  readonly subject: Reference;
  readonly effectiveDateTime?: string;
  readonly issued: string;
  readonly result: readonly Reference[];
  readonly imagingStudy: readonly Reference[];
  readonly conclusion: string;
  readonly conclusionCode?: readonly CodeableConcept[];
  readonly presentedForm: readonly Attachment[];
}

export interface Provenance extends Stored {
  readonly resourceType: 'Provenance';
  readonly meta: Meta;
  readonly target: readonly Reference[];
  readonly occurredDateTime: string;
  readonly recorded: string;
  readonly reason?: readonly CodeableConcept[];
  readonly activity?: CodeableConcept;
  readonly agent: readonly { readonly type: CodeableConcept; readonly who: Reference }[];
  readonly entity?: readonly { readonly role: 'source'; readonly what: Reference }[];
}

/** Every resource that a report consists of. */
export type ReportResource = Device | Endpoint | ImagingStudy | Observation | DiagnosticReport | Provenance;

export interface BundleEntry<R extends Resource = Resource> {
  readonly fullUrl?: string;
  readonly resource: R;
  readonly request: { readonly method: 'PUT'; readonly url: string; readonly ifMatch?: string };
}

/** A transaction: all of it is stored, or nothing (R4 3.1.0.11). */
export interface TransactionBundle<R extends Resource = ReportResource> {
  readonly resourceType: 'Bundle';
  readonly type: 'transaction';
  readonly entry: readonly BundleEntry<R>[];
}
