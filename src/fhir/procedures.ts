import { z } from 'zod';
import type { Reading, StudyHeader } from '../core/reading.ts';
import type { Code } from '../core/study.ts';
import { systems } from './coding.ts';
import type { CodeableConcept } from './types.ts';

/** Which LOINC code a report carries: `mappings/procedures.json`. */

const loincCode = z.string().regex(/^\d{1,5}-\d$/);

export const proceduresSchema = z
  .strictObject({
    edition: z.string().describe('Where the codes and their names come from'),
    names: z.record(loincCode, z.string()).describe('LOINC code → display; every code used below stands here'),
    procedures: z
      .array(z.strictObject({ scheme: z.string(), value: z.string(), loinc: loincCode }))
      .describe('A code of RequestedProcedureCodeSequence or ProcedureCodeSequence → LOINC'),
    views: z
      .strictObject({ PA: loincCode, AP: loincCode, frontal: loincCode })
      .describe('The view of a study with one image, when no procedure code is mapped'),
    severalViews: loincCode.describe('A study with several images'),
    fallback: loincCode.describe('A study of which nothing is known but that it is an imaging study'),
  })
  .refine(
    ({ names, procedures, views, severalViews, fallback }) =>
      [...procedures.map(({ loinc }) => loinc), ...Object.values(views), severalViews, fallback].every((code) =>
        Object.hasOwn(names, code),
      ),
    'every LOINC code that is used needs a name',
  );

export type Procedures = Readonly<z.output<typeof proceduresSchema>>;

/** Code of the report: the procedure that was asked for, else the one performed, else what the views say. */
export function procedureConcept({ study, images }: Reading, procedures: Procedures): CodeableConcept {
  const asked = [...study.RequestedProcedureCodeSequence, ...study.ProcedureCodeSequence];
  const mapped = asked.map((code) => mappedCode(code, procedures)).find((code) => code !== null);
  const code = mapped ?? viewCode(images, procedures);
  const text = study.RequestedProcedureDescription ?? study.StudyDescription ?? procedures.names[code]!;
  return { coding: [{ system: systems.loinc, code, display: procedures.names[code]! }], text };
}

function mappedCode({ CodeValue, CodingSchemeDesignator }: Code, { names, procedures }: Procedures): string | null {
  if (CodingSchemeDesignator === 'LN' && Object.hasOwn(names, CodeValue)) return CodeValue;
  return (
    procedures.find(({ scheme, value }) => scheme === CodingSchemeDesignator && value === CodeValue)?.loinc ?? null
  );
}

function viewCode(images: Reading['images'], { views, severalViews, fallback }: Procedures): string {
  const [first] = images;
  if (!first) return fallback;
  return images.length === 1 ? views[first.view] : severalViews;
}

/** Procedures as the source itself codes them. */
export function sourceProcedures(study: StudyHeader): readonly Code[] {
  return study.ProcedureCodeSequence.length > 0 ? study.ProcedureCodeSequence : study.RequestedProcedureCodeSequence;
}
