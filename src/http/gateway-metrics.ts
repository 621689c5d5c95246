import type { Log, StudyBoard } from '../core/ports.ts';
import { type Counter, createMetrics, type Metrics } from './metrics.ts';

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

const waitingStates = ['announced', 'settling', 'retrying'];

/** Seconds: from a quick refusal to a night without a PACS. */
const stepBounds = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_600, 36_000];

export function createGatewayMetrics(board: StudyBoard): GatewayMetrics {
  const metrics = createMetrics();
  const changes = metrics.counter('cxr_gateway_job_changes_total', 'Changes of state of jobs, by state and code.');
  const alerts = metrics.counter('cxr_gateway_alerts_total', 'What a person should hear of, by code.');
  const failed = metrics.counter('cxr_gateway_run_failures_total', 'Runs of jobs that failed, by code and class.');
  const notices = metrics.counter(
    'cxr_gateway_fhir_notices_total',
    'What a FHIR server did that somebody should look at, by kind.',
  );
  const steps = metrics.histogram(
    'cxr_gateway_state_duration_seconds',
    'Time that jobs spent before they came to a state.',
    stepBounds,
  );
  metrics.gauge('cxr_gateway_jobs', 'Jobs by state.', async () => {
    return Object.entries(await board.countsByState()).map(([state, value]) => ({ labels: { state }, value }));
  });
  metrics.gauge('cxr_gateway_queue_depth', 'Jobs that wait for their turn.', async () => {
    const counts = await board.countsByState();
    return [{ value: waitingStates.reduce((sum, state) => sum + (counts[state] ?? 0), 0) }];
  });
  return {
    metrics,
    observe(line) {
      const { event, state, code, class: kind, durationMs } = line;
      if (event === 'job') {
        changes.add({ state: String(state), code: String(code ?? '') });
        if (typeof durationMs === 'number') steps.observe(durationMs / 1_000, { state: String(state) });
      }
      if (event === 'alert') alerts.add({ code: String(code) });
      if (event === 'fhir-notice') notices.add({ kind: String(line['kind']) });
      if (event === 'failure') failed.add({ code: String(code), class: String(kind) });
    },
    patientsUnresolved: metrics.counter(
      'cxr_gateway_patients_unresolved_total',
      'Reports that refer to their patient by identifier alone.',
    ),
    announcements: metrics.counter('cxr_gateway_announcements_total', 'Announcements of studies, by source.'),
  };
}
