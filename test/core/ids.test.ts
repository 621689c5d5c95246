import { identify, settingsDigest } from '../../src/core/ids.ts';
import { makeReading, model, settings } from '../support/readings.ts';

test('int8 results are other objects than float32 ones of the same weights, because their scores differ', () => {
  const int8 = { ...model, precision: 'int8' as const, deviceUid: '2.25.1' };
  const otherRanges = { ...int8, deviceUid: '2.25.2' };
  const digests = [model, int8, otherRanges].map((each) => settingsDigest(settings, each));
  expect(new Set(digests).size).toBe(3);
  const [float, eight] = [makeReading({ model }), makeReading({ model: int8 })].map((reading) =>
    identify(reading, 'secret'),
  );
  expect(eight!.sr.SOPInstanceUID).not.toBe(float!.sr.SOPInstanceUID);
  expect(eight!.modelDeviceId).not.toBe(float!.modelDeviceId);
  expect(eight!.diagnosticReportId).toBe(float!.diagnosticReportId);
});

test('float32 identities are those of readings that name no precision, because older ledgers hold such', () => {
  const { precision: _, ...older } = model;
  expect(settingsDigest(settings, older as typeof model)).toBe(settingsDigest(settings, model));
});
