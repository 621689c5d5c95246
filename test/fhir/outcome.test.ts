import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isUnsupported, outcomeFailure } from '../../src/fhir/outcome.ts';

const failureOf = (issue: unknown, status = 422) =>
  outcomeFailure(status, { resourceType: 'OperationOutcome', issue }, 'PUT X');

describe('a refusal tells the operator what the server found, and nothing that may be a patient (fault 50)', () => {
  test.each<[string, object, string]>([
    [
      'of HAPI, with its number and the type between stars',
      {
        severity: 'error',
        code: 'processing',
        details: {
          coding: [{ system: 'http://hl7.org/fhir/java-core-messageId', code: 'Validation_VAL_Profile_Minimum' }],
        },
        diagnostics: 'HAPI-1821: Meier',
        expression: ['Bundle.entry[5].resource/*DiagnosticReport/cxr-7*/.code'],
      },
      'error processing Validation_VAL_Profile_Minimum Bundle.entry[5].resource/*DiagnosticReport*/.code (HAPI-1821)',
    ],
    [
      'with a location alone',
      { severity: 'fatal', code: 'structure', location: ['Observation.value'] },
      'fatal structure Observation.value',
    ],
    ['with a code of nobody', { severity: 'error', code: 'Meier', expression: ['Meier'] }, 'error'],
    [
      'with a message of an unknown system',
      { severity: 'error', code: 'value', details: { text: 'Meier', coding: [{ system: 'urn:x', code: 'Meier' }] } },
      'error value',
    ],
    [
      'with a value within the path',
      { severity: 'error', code: 'invalid', expression: ["Observation.where(x='Meier')"] },
      'error invalid',
    ],
  ])('%s', (_, issue, expected) => {
    const { message, code, class: kind } = failureOf([issue]);
    expect(message).toContain(`Got: status 422: ${expected}.`);
    expect([code, kind]).toEqual(['fhir-refused', 'permanent']);
    expect(message).not.toContain('Meier');
  });

  test('whatever stands in whichever element of an issue, because free text may stand in any', () => {
    const secret = 'Xyzzy';
    const word = fc.constantFrom(
      secret,
      `${secret}^Hans`,
      `HAPI-1821: ${secret}`,
      `Bundle ${secret}`,
      `http://x/${secret}`,
    );
    const text = fc.oneof(
      word,
      word.map((value) => [value]),
      word.map((value) => ({ text: value, coding: [{ system: value, code: value }] })),
    );
    const issue = fc.record({
      severity: fc.constantFrom('error', 'fatal', secret),
      ...Object.fromEntries(
        ['code', 'details', 'diagnostics', 'expression', 'location', 'extension'].map((name) => [name, text]),
      ),
    });
    fc.assert(
      fc.property(fc.oneof(fc.array(issue), text), (issues) => {
        expect(failureOf(issues).message).not.toContain(secret);
      }),
      { numRuns: 500 },
    );
  });

  test('what is unsupported altogether is told from what is wrong in it', () => {
    expect([404, 405, 501].map((status) => isUnsupported(failureOf([], status)))).toEqual([true, true, true]);
    expect(isUnsupported(failureOf([{ severity: 'error', code: 'not-supported' }], 400))).toBe(true);
    expect(
      [400, 409, 422].map((status) => isUnsupported(failureOf([{ severity: 'error', code: 'invalid' }], status))),
    ).toEqual([false, false, false]);
  });
});
