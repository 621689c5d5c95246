import type { Log, StudyBoard, Waiting } from '../core/ports.ts';
import { type Counter, createMetrics, type Metrics } from './metrics.ts';
import { createPace, type Pace } from './pace.ts';

/** The series that an operator watches. */

export interface GatewayMetrics {
  readonly metrics: Metrics;
  /** Counts the lines of the log: hand every line to it. */
  readonly observe: Log;
  /** A report that refers to its patient by identifier alone, because the FHIR server has no such patient. */
  readonly patientsUnresolved: Counter;
  /** An announcement by a source, label `source`. */
  readonly announcements: Counter;
}

/** Seconds: from a quick refusal to a night without a PACS. */
const stepBounds = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_600, 36_000];

/** @param now milliseconds since 1970 */
export function createGatewayMetrics(board: StudyBoard, now: () => number): GatewayMetrics {
  const metrics = createMetrics();
  const changes = metrics.counter('cxr_gateway_job_changes_total', 'Changes of state of jobs, by state and code.');
  const failed = metrics.counter('cxr_gateway_run_failures_total', 'Runs of jobs that failed, by code and class.');
  const alerts = metrics.counter('cxr_gateway_alerts_total', 'Alerts by code, those held back from the log too.');
  const steps = metrics.histogram(
    'cxr_gateway_state_duration_seconds',
    'Time that jobs spent before they came to a state.',
    stepBounds,
  );
  metrics.gauge('cxr_gateway_jobs', 'Jobs by state.', async () => {
    return Object.entries(await board.countsByState()).map(([state, value]) => ({ labels: { state }, value }));
  });
  const pace = createPace(now);
  addQueueGauges(metrics, { board, pace, now });
  return {
    metrics,
    observe(line) {
      const { event, state, code, class: kind, durationMs } = line;
      if (event === 'job') {
        changes.add({ state: String(state), code: String(code ?? '') });
        if (ends.has(state)) pace.ended();
        if (typeof durationMs === 'number') steps.observe(durationMs / 1_000, { state: String(state) });
      }
      if (event === 'alert') alerts.add({ code: String(code) });
      if (event === 'failure') failed.add({ code: String(code), class: String(kind) });
    },
    patientsUnresolved: metrics.counter(
      'cxr_gateway_patients_unresolved_total',
      'Reports that refer to their patient by identifier alone.',
    ),
    announcements: metrics.counter('cxr_gateway_announcements_total', 'Announcements of studies, by source.'),
  };
}

const ends = new Set<unknown>(['done', 'skipped', 'quarantined', 'source-gone', 'dead', 'superseded', 'retracted']);

interface Queue {
  readonly board: StudyBoard;
  readonly pace: Pace;
  readonly now: () => number;
}

function addQueueGauges(metrics: Metrics, { board, pace, now }: Queue): void {
  const byLane = async (read: (waiting: Waiting) => number) =>
    Object.entries(await board.waiting()).map(([lane, waiting]) => ({ labels: { lane }, value: read(waiting) }));
  metrics.gauge('cxr_gateway_queue_depth', 'Jobs that wait for their turn, by lane.', () =>
    byLane(({ count }) => count),
  );
  metrics.gauge('cxr_gateway_queue_oldest_seconds', 'Age of the oldest job that waits, by lane; 0 without one.', () =>
    byLane(({ oldestAt }) => (oldestAt === null ? 0 : Math.max(0, (now() - oldestAt) / 1_000))),
  );
  metrics.gauge(
    'cxr_gateway_queue_eta_seconds',
    'Time until nothing waits at the pace of this gateway in the last ten minutes; absent while it ended no job.',
    async () => {
      const { stat, routine } = await board.waiting();
      const perSecond = pace.perSecond();
      return perSecond > 0 ? [{ value: (stat.count + routine.count) / perSecond }] : [];
    },
  );
}
