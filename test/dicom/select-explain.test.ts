import { describe, expect, test } from '@jest/globals';
import { gates, select } from '../../src/dicom/select.ts';
import { explainStudy } from '../../src/dicom/select-explain.ts';
import { context, film, instance, rulesWith } from './film-header.ts';

describe('explaining a choice', () => {
  const answersOf = (...films: Parameters<typeof film>[0][]) => {
    const instances = films.map((values, index) => instance(film(values), `film ${index}`));
    return { instances, explained: explainStudy(instances, rulesWith(), context) };
  };

  test('gives the choice of the gateway and an answer of every rule, because a person asks what else is in the way', () => {
    const { instances, explained } = answersOf(
      {},
      { ViewPosition: 'LL', BodyPartExamined: 'HIP', ViewCodeSequence: null },
    );
    expect(explained.map(({ choice }) => choice)).toEqual(
      select(instances, rulesWith(), context).map(({ choice }) => choice),
    );
    for (const { rules } of explained) expect(rules.map(({ rule }) => rule)).toEqual(Object.keys(gates));
    const refusing = explained[1]!.rules.filter(({ refusal }) => refusal !== null);
    expect(refusing.map(({ rule }) => rule)).toEqual(['chestOnly', 'frontalOnly']);
  });

  test('tells the codes that a rule looked at as they are, of all else only whether it is there', () => {
    const { explained } = answersOf({
      ViewPosition: 'LL',
      ViewCodeSequence: null,
      SeriesDescription: null,
      PatientAge: '064Y',
    });
    const looked = Object.fromEntries(explained[0]!.rules.map(({ rule, looked: at }) => [rule, at]));
    expect(looked['frontalOnly']).toEqual(
      expect.arrayContaining(['ViewCodeSequence absent', 'ViewPosition=LL', 'SeriesDescription absent']),
    );
    expect(looked['oldEnough']).toEqual(['PatientAge present']);
    expect(looked['radiographOnly']).toEqual(expect.arrayContaining(['Modality=DX']));
  });

  test('an object without a header has its failure and no rules', () => {
    const failure = { code: 'not-dicom', detail: 'no preamble' } as const;
    const [only] = explainStudy([{ key: 'x', header: null, failure }], rulesWith(), context);
    expect(only).toMatchObject({ choice: { outcome: 'quarantined', code: 'not-dicom' }, rules: [] });
  });
});
