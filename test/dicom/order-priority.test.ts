import { describe, expect, test } from '@jest/globals';
import { requestedPriority } from '../../src/dicom/order-priority.ts';
import { datasetOf, type Values } from './film-header.ts';

describe('fault 17: how urgent a film says that its order is', () => {
  test.each<[string, Values, 'stat' | 'routine']>([
    ['STAT', { RequestedProcedurePriority: 'STAT' }, 'stat'],
    ['HIGH', { RequestedProcedurePriority: 'HIGH' }, 'stat'],
    ['in other case and padded', { RequestedProcedurePriority: ' Stat ' }, 'stat'],
    ['ROUTINE', { RequestedProcedurePriority: 'ROUTINE' }, 'routine'],
    ['MEDIUM', { RequestedProcedurePriority: 'MEDIUM' }, 'routine'],
    ['LOW', { RequestedProcedurePriority: 'LOW' }, 'routine'],
    ['a word of the site', { RequestedProcedurePriority: 'STATISTICS' }, 'routine'],
    ["the step's HIGH", { ScheduledProcedureStepPriority: 'HIGH' }, 'stat'],
    [
      "the step's HIGH beside ROUTINE",
      { RequestedProcedurePriority: 'ROUTINE', ScheduledProcedureStepPriority: 'HIGH' },
      'stat',
    ],
    ['STAT in the second request', { RequestAttributesSequence: [{}, { RequestedProcedurePriority: 'STAT' }] }, 'stat'],
    ['nothing', {}, 'routine'],
    ['a number', { RequestedProcedurePriority: 7 }, 'routine'],
  ])('%s', (_, values, expected) => {
    expect(requestedPriority(datasetOf(values))).toBe(expected);
  });
});
