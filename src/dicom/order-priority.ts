import { type Dataset, type Priority, priorityOfWord } from '../core/study.ts';
import { items, texts } from './dataset.ts';

/**
 * How urgent the order is by a film's own header: Requested Procedure Priority (0040,1003; PS3.3 C.4.11 STAT, HIGH, ROUTINE,
 * MEDIUM, LOW) and Scheduled Procedure Step Priority (0074,1200; HIGH, MEDIUM, LOW), which some modalities copy from the worklist,
 * at the top or in the Request Attributes. Any of them that is urgent makes it so.
 */
export function requestedPriority(header: Dataset): Priority {
  const words = [header, ...items(header, 'RequestAttributesSequence')].flatMap((item) => [
    ...texts(item, 'RequestedProcedurePriority'),
    ...texts(item, 'ScheduledProcedureStepPriority'),
  ]);
  return words.some((word) => priorityOfWord(word) === 'stat') ? 'stat' : 'routine';
}
