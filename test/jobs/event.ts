import type { StudyEvent } from '../../src/core/study.ts';

export const event = (studyInstanceUid: string, overrides: Partial<StudyEvent> = {}): StudyEvent => ({
  studyInstanceUid,
  source: 'test',
  priority: 'routine',
  ...overrides,
});
