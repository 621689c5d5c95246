import type { Code, Dataset } from '../core/study.ts';
import { type Attributes, build, codeItem, decimalString } from './build.ts';

/** Content items of an SR tree (PS3.3 C.17.3): each function makes one, of one value type. */

export type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS ACQ CONTEXT' | 'HAS CONCEPT MOD' | 'SELECTED FROM';

export interface SopReference {
  readonly SOPClassUID: string;
  readonly SOPInstanceUID: string;
}

export function container(
  relationship: Relationship,
  name: Code,
  children: readonly Dataset[],
  template?: string,
): Dataset {
  return item(relationship, 'CONTAINER', name, { ...containerContent(template), ContentSequence: children });
}

/** What a container, the root too, has beside name and children; `template` is a TID of PS3.16. */
export function containerContent(template?: string): Attributes {
  return {
    ContinuityOfContent: 'SEPARATE',
    ContentTemplateSequence: template && [build({ MappingResource: 'DCMR', TemplateIdentifier: template })],
  };
}

export function code(relationship: Relationship, name: Code, value: Code): Dataset {
  return item(relationship, 'CODE', name, { ConceptCodeSequence: [codeItem(value)] });
}

export function text(relationship: Relationship, name: Code, value: string): Dataset {
  return item(relationship, 'TEXT', name, { TextValue: value });
}

export function uidReference(relationship: Relationship, name: Code, value: string): Dataset {
  return item(relationship, 'UIDREF', name, { UID: value });
}

export function date(relationship: Relationship, name: Code, value: string): Dataset {
  return item(relationship, 'DATE', name, { Date: value });
}

export function time(relationship: Relationship, name: Code, value: string): Dataset {
  return item(relationship, 'TIME', name, { Time: value });
}

/** The number goes twice where 16 characters do not hold it: as text, and as it is (PS3.3 C.18.1). */
export function numeric(
  relationship: Relationship,
  name: Code,
  value: number,
  unit: Code,
  children: readonly Dataset[] = [],
): Dataset {
  const MeasurementUnitsCodeSequence = [codeItem(unit)];
  const FloatingPointValue = Number(decimalString(value)) === value ? undefined : value;
  return item(relationship, 'NUM', name, {
    MeasuredValueSequence: [build({ FloatingPointValue, NumericValue: value, MeasurementUnitsCodeSequence })],
    ContentSequence: children.length > 0 ? children : undefined,
  });
}

/** `name` is the purpose of the reference; null where the relationship tells it all. */
export function image(
  relationship: Relationship,
  name: Code | null,
  reference: SopReference,
  children: readonly Dataset[] = [],
): Dataset {
  return item(relationship, 'IMAGE', name, {
    ReferencedSOPSequence: [sopReference(reference)],
    ContentSequence: children.length > 0 ? children : undefined,
  });
}

/** A document or another object that is no image. */
export function composite(relationship: Relationship, reference: SopReference): Dataset {
  return item(relationship, 'COMPOSITE', null, { ReferencedSOPSequence: [sopReference(reference)] });
}

/** A closed outline: column, row from the upper left corner of the upper left pixel, the first point again at the end. */
export function polyline(
  relationship: Relationship,
  name: Code,
  points: readonly (readonly [number, number])[],
  selectedFrom: SopReference,
): Dataset {
  return item(relationship, 'SCOORD', name, {
    GraphicData: points.flat(),
    GraphicType: 'POLYLINE',
    ContentSequence: [image('SELECTED FROM', null, selectedFrom)],
  });
}

export function sopReference(reference: SopReference): Dataset {
  return build(sopReferenceContent(reference));
}

/** SOP Instance Reference Macro (PS3.3 table 10-11). */
export function sopReferenceContent({ SOPClassUID, SOPInstanceUID }: SopReference): Attributes {
  return { ReferencedSOPClassUID: SOPClassUID, ReferencedSOPInstanceUID: SOPInstanceUID };
}

function item(RelationshipType: Relationship, ValueType: string, name: Code | null, content: Attributes): Dataset {
  const ConceptNameCodeSequence = name === null ? undefined : [codeItem(name)];
  return build({ RelationshipType, ValueType, ConceptNameCodeSequence, ...content });
}
