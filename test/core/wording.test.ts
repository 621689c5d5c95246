import {
  comment,
  conclusion,
  failureSentence,
  findingSentence,
  imageSentence,
  legendSentences,
  reviewNotice,
  scoreNotice,
  scoreText,
  untrainedNotice,
} from '../../src/core/wording.ts';
import { makeImageHeader, makeImageReading, makeReading, model, settings, studyUid } from '../support/readings.ts';

const unflagged = { ...settings, flagSuspectedCovid: false };
const failure = {
  ...makeImageHeader({ SOPInstanceUID: `${studyUid}.1.9` }),
  failure: { code: 'truncated', detail: '' },
} as const;

test('a positive flags suspected COVID-19, and a site can have the opacity alone', () => {
  expect(findingSentence('present', settings)).toBe('Airspace opacity suspicious for COVID-19.');
  expect(findingSentence('present', unflagged)).toBe('Airspace opacity present.');
});

test('a negative says that it does not rule out COVID-19, whatever the site flags', () => {
  for (const either of [settings, unflagged]) {
    expect(findingSentence('absent', either)).toContain('does not rule out COVID-19');
  }
});

test('a study without a score says that it is not a negative, because silence would read as one', () => {
  expect(conclusion(makeReading({ images: [], failures: [failure] }))).toBe(
    'No image could be scored: nothing is concluded, and this is not a negative result. 0 of 1 images were read.',
  );
});

test('the conclusion of one image names score and threshold', () => {
  expect(conclusion(makeReading())).toBe(
    'Airspace opacity suspicious for COVID-19. Score 0.8731 (present at 0.5 or above). ' +
      'The heat-map is hottest in the right lower zone, by a fixed template of the lungs.',
  );
});

test('the zones of several images stand by image, because a study may have one film for each side', () => {
  const second = makeImageReading({ zone: 'left-upper', image: makeImageHeader({ SOPInstanceUID: '1.2.3' }) });
  const negative = makeImageReading({ score: 0.1, image: makeImageHeader({ SOPInstanceUID: '1.2.4' }) });
  const told = conclusion(makeReading({ images: [makeImageReading(), second, negative] }));
  expect(told).toContain('Image 1.2.3 (PA): the heat-map is hottest in the left upper zone,');
  expect(told.match(/hottest/g)).toHaveLength(2);
  const bare = makeImageReading({ zone: null });
  expect(conclusion(makeReading({ images: [bare] }))).not.toContain('hottest');
});

test('the conclusion of several names the highest score and its image', () => {
  const second = makeImageReading({ score: 0.9, view: 'AP', image: makeImageHeader({ SOPInstanceUID: '1.2.3' }) });
  expect(conclusion(makeReading({ images: [makeImageReading(), second] }))).toContain(
    'Highest score 0.9000 (present at 0.5 or above), image 1.2.3 (AP).',
  );
});

test('rounding never carries a score over the threshold, because "0.5000, absent at 0.5" would be a riddle', () => {
  expect(scoreText(0.49996, 0.5)).toBe('0.49996');
  expect(scoreText(0.50004, 0.5)).toBe('0.5000');
  expect(scoreText(0.5, 0.5)).toBe('0.5000');
});

test('a partial study says how many images were read and names each that was not', () => {
  expect(conclusion(makeReading({ failures: [failure] }))).toContain('1 of 2 images were read.');
  expect(failureSentence(failure)).toContain(`${studyUid}.1.9 was not read: truncated.`);
});

test('an untrained model says so before anything else', () => {
  const untrained = { ...model, training: 'untrained' } as const;
  expect(conclusion(makeReading({ model: untrained })).startsWith(untrainedNotice)).toBe(true);
  expect(legendSentences('present', settings, 'untrained')[0]).toBe(untrainedNotice);
  expect(legendSentences('present', settings, 'trained').join()).not.toContain('UNTRAINED');
});

test('a comment carries the notices: not reviewed always, not a probability where there is a score', () => {
  const scored = comment(makeReading());
  expect(scored).toContain(reviewNotice);
  expect(scored).toContain(scoreNotice);
  const unscored = comment(makeReading({ images: [], failures: [failure] }));
  expect(unscored).toContain(reviewNotice);
  expect(unscored).not.toContain(scoreNotice);
});

test('what was left out of the header is named by keyword, because somebody will miss it', () => {
  const image = makeImageReading({ flags: ['omitted:PatientAge', 'normalized:StudyDate', 'omitted:PatientAge'] });
  expect(comment(makeReading({ images: [image] }))).toContain('Left out, being invalid in the source: PatientAge.');
  expect(comment(makeReading())).not.toContain('Left out');
});

test('an image is told with view, score and decision', () => {
  expect(imageSentence(makeImageReading(), settings)).toBe(`Image ${studyUid}.1.1 (PA): score 0.8731, present.`);
});

test('no sentence leaves ASCII, because any font and any character set must carry it', () => {
  const all = [comment(makeReading({ failures: [failure] })), failureSentence(failure), untrainedNotice];
  for (const text of all) expect(text).toMatch(/^[\x20-\x7e]+$/);
});
