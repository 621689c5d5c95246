import { calibrationOf } from '../../src/science/calibration.ts';
import { confusionAt, performanceOf } from '../../src/science/confusion.ts';
import { areaUnderCurve } from '../../src/science/delong.ts';
import { youden } from '../../src/science/operating.ts';
import { rocCurve } from '../../src/science/roc.ts';
import { testWithPython } from '../model/python.ts';
import { drawnFilms, reference } from './reference.ts';

const cases = [
  ['distinct scores', drawnFilms(1, 700, null)],
  ['twenty steps, nearly all tied', drawnFilms(2, 700, 20)],
  ['two steps', drawnFilms(3, 120, 2)],
  ['a dozen films', drawnFilms(4, 12, 8)],
] as const;

describe('statistics against an independent implementation', () => {
  testWithPython.each(cases)('agree on %s, because a figure in a report is only worth what checks it', (_, films) => {
    const theirs = reference(films, 0.5);
    const area = areaUnderCurve(films);
    expect(area.value).toBeCloseTo(theirs.auc, 12);
    expect(area.standardError).toBeCloseTo(theirs.standardError, 12);
    const curve = rocCurve(films);
    expect(theirs.trapezoids).toBeCloseTo(theirs.auc, 12);
    expect(curve.map(({ sensitivity }) => sensitivity)).toEqual(theirs.tpr.map((v) => expect.closeTo(v, 12)));
    expect(curve.map(({ falsePositiveRate }) => falsePositiveRate)).toEqual(
      theirs.fpr.map((v) => expect.closeTo(v, 12)),
    );
    expect(youden(curve).threshold).toBe(theirs.youden);
    const confusion = confusionAt(films, 0.5);
    expect(Object.values(confusion)).toEqual(theirs.confusion);
    const { sensitivity, specificity } = performanceOf(confusion);
    for (const [ours, their] of [
      [sensitivity.ci95, theirs.sensitivity],
      [specificity.ci95, theirs.specificity],
    ] as const)
      expect(ours).toEqual(their.map((value) => expect.closeTo(value, 10)));
    const calibration = calibrationOf(films);
    expect(calibration.ece).toBeCloseTo(theirs.ece, 12);
    expect(calibration.brier).toBeCloseTo(theirs.brier, 12);
  });
});
