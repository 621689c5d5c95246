import { withClockFlags } from '../../src/core/clock-order.ts';
import { sha256 } from '../../src/core/ids.ts';
import { text } from '../../src/dicom/dataset.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { dicomSr } from '../../src/outputs/dicom-sr.ts';
import { createFhirReport } from '../../src/outputs/fhir-report.ts';
import { sourcesOptionsSchema } from '../../src/sources/options.ts';
import { createQidoPoll } from '../../src/sources/qido-poll.ts';
import { compose as composeDicom } from '../dicom/results.ts';
import { compose as composeFhir, procedures, reportOptions } from '../fhir/support.ts';
import { makeReading, makeStudyHeader } from '../support/readings.ts';

/**
 * What the gateway writes and asks around the moments at which clocks change, as JSON: `node written-times.ts`, once for each zone
 * that the host may be set to.
 */

/** Ends and begins of summer time in Lord Howe (half an hour), Chatham, and none in Kathmandu; the turn of a year. */
const instants = [
  ...['2026-04-04T14:59:59.999Z', '2026-04-04T15:00:00.000Z', '2026-04-04T15:15:00.000Z', '2026-10-03T15:30:00.000Z'],
  ...['2026-04-04T13:59:59.000Z', '2026-04-04T14:00:00.000Z', '2026-09-26T14:00:00.000Z', '2026-09-26T13:59:59.000Z'],
  ...['2025-12-31T18:15:00.000Z', '2026-12-31T23:59:59.999Z'],
];
/** Of the source or the site: Lord Howe in summer, Kathmandu, Chatham in summer; the farthest west; none. */
const offsets = ['+1100', '+0545', '+1345', '-1130', null];

function results(readAt: string, zone: string | null) {
  const study = makeStudyHeader({ TimezoneOffsetFromUTC: zone, StudyDate: '20260405', StudyTime: '013000' });
  const reading = withClockFlags(makeReading({ readAt, study }));
  const [sr] = dicomSr.compose(composeDicom(reading));
  const [bundle] = createFhirReport({ procedures, report: reportOptions }).compose(composeFhir(reading));
  const { header } = parsePart10(sr!.bytes);
  const json = Buffer.from(bundle!.bytes).toString('utf8');
  return {
    date: text(header, 'ContentDate'),
    time: text(header, 'ContentTime'),
    zone: text(header, 'TimezoneOffsetFromUTC'),
    issued: /"issued":"([^"]+)"/.exec(json)?.[1],
    effective: /"effectiveDateTime":"([^"]+)"/.exec(json)?.[1],
    flags: reading.images.flatMap(({ flags }) => flags),
    sr: sha256(sr!.bytes),
    bundle: sha256(bundle!.bytes),
  };
}

/** The dates of the first search that a poll makes. */
async function windowOf(now: string, timezoneOffset: string | null): Promise<string | null> {
  const stop = new AbortController();
  let asked: string | null = null;
  const memory = new Map<string, unknown>();
  const source = createQidoPoll({
    async searchStudies({ studyDate }) {
      asked ??= studyDate;
      stop.abort();
      return [];
    },
    options: { ...sourcesOptionsSchema.parse({}).qidoPoll, sweep: false },
    memory: {
      get: async (key) => memory.get(key),
      async set(key, value) {
        memory.set(key, value);
      },
    },
    timezoneOffset,
    now: () => Date.parse(now),
    report: () => {},
  });
  await source.run(async () => {}, stop.signal);
  return asked;
}

const written = [];
for (const instant of instants) {
  for (const offset of offsets) {
    written.push({ instant, offset, ...results(instant, offset), days: await windowOf(instant, offset) });
  }
}
console.log(JSON.stringify({ hostHours: new Date(instants[0]!).getHours(), written }));
