import type { Metrics } from './metrics.ts';

/** How late the event loop is: whatever holds it up holds up every study, every answer and every probe. */

const everyMs = 20;
/** Seconds. */
const bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5];

/** Watches until the function that it gives is called; keeps no process alive. */
export function watchEventLoop(metrics: Metrics, now: () => number = () => performance.now()): () => void {
  const delays = metrics.histogram(
    'cxr_gateway_event_loop_delay_seconds',
    'Time by which a timer of the gateway came late.',
    bounds,
  );
  let due = now() + everyMs;
  const timer = setInterval(() => {
    const at = now();
    delays.observe(Math.max(0, at - due) / 1_000);
    due = at + everyMs;
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
