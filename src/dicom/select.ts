import { asFailure, type FailureCode, failures } from '../core/failure.ts';
import type { Choice, Chosen } from '../core/ports.ts';
import type { View } from '../core/reading.ts';
import type { Dataset, Instance } from '../core/study.ts';
import { describe } from './header.ts';
import { oldEnough, recentStudy } from './select-age.ts';
import { chestOnly } from './select-body-part.ts';
import { duplicateExposures } from './select-exposure.ts';
import type { Circumstances, Gate, Refusal, SelectionContext } from './select-gate.ts';
import { patientOnly, presentationOnly, singleGrayFrame, undistorted } from './select-image.ts';
import { ownEquipment, ownUid, radiographOnly, secondaryImage } from './select-own.ts';
import { notRejected, rejectedUids } from './select-rejection.ts';
import type { SelectionRules } from './select-rules.ts';
import { frontalOnly, hungAsSeen, viewOf } from './select-view.ts';

export type { Refusal, SelectionContext } from './select-gate.ts';
export {
  createSelectionRules,
  fileSelectionOptions,
  type SelectionOptions,
  type SelectionRules,
  selectionOptionsSchema,
  selectionRulesSchema,
  viewRulesSchema,
} from './select-rules.ts';

/** The rules in the order in which they speak; the first refusal is the reason that is given. */
export const gates = {
  ownUid,
  ownEquipment,
  radiographOnly,
  presentationOnly,
  secondaryImage,
  undistorted,
  patientOnly,
  singleGrayFrame,
  chestOnly,
  frontalOnly,
  hungAsSeen,
  oldEnough,
  recentStudy,
  notRejected,
} as const satisfies Record<string, Gate>;

/**
 * Which images of a study may be read, one answer for each object, in the order given. Pure: `context` holds the time and
 * what is ours. Every refusal has its code and the tag values that decided it, without patient data.
 */
export function select(
  instances: readonly Instance[],
  rules: SelectionRules,
  context: SelectionContext,
): readonly Chosen[] {
  const circumstances = { rules, context, rejected: rejectedUids(instances, rules) };
  const chosen = instances.map((instance) => ({ instance, choice: choose(instance, circumstances) }));
  return rules.options.duplicateExposure === 'read' ? chosen : withoutDuplicates(chosen, rules);
}

function choose({ header, failure }: Instance, circumstances: Circumstances): Choice {
  if (header === null) return stopped(failure?.code ?? 'malformed-dicom', failure ? [failure.detail] : ['no header']);
  if (failure !== null) return stopped(failure.code, [failure.detail]);
  for (const gate of Object.values(gates)) {
    const refusal = gate(header, circumstances);
    if (refusal) return stopped(refusal.code, refusal.because);
  }
  return readable(header, viewOf(header, circumstances.rules));
}

const stopped = (code: FailureCode, because: readonly string[]): Choice => ({
  outcome: failures[code].class === 'skip' ? 'skipped' : 'quarantined',
  code,
  because,
});

/** Stops a film whose identifiers could not be written into a result before anything is fetched for it. */
function readable(header: Dataset, view: View | Refusal): Choice {
  if (typeof view !== 'string') return stopped(view.code, view.because);
  try {
    describe(header);
    return { outcome: 'eligible', view };
  } catch (thrown) {
    const { code, detail } = asFailure(thrown);
    return stopped(code, detail.where === undefined ? [] : [detail.where]);
  }
}

function withoutDuplicates(chosen: readonly Chosen[], rules: SelectionRules): readonly Chosen[] {
  const films = chosen.flatMap(({ instance: { key, header }, choice }) =>
    header && choice.outcome === 'eligible' ? [{ key, header, view: choice.view }] : [],
  );
  const duplicates = duplicateExposures(films, rules);
  return chosen.map((entry) => {
    const evidence = duplicates.get(entry.instance.key);
    return evidence === undefined ? entry : { ...entry, choice: stopped('duplicate-exposure', [evidence]) };
  });
}
