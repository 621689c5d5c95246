import type { Log } from '../core/ports.ts';
import { fellBack, type NetworkEvent, type ProviderChoice } from '../core/provider.ts';
import type { Check } from './health.ts';
import type { Metrics } from './metrics.ts';

/** What runs the network, for whoever operates the gateway: in metrics, in the log and in the readiness. */

export interface ProviderStatus {
  /** Takes what the reader tells. */
  readonly report: (event: NetworkEvent) => void;
  /** `provider-unavailable` fails; `provider-fallback` is told and does not: the site allowed it. */
  readonly check: Check;
}

type ProviderEvent = Extract<NetworkEvent, { readonly kind: 'provider' }>;

const filmBounds = [1, 2, 4, 8, 16, 32, 64];

export function createProviderStatus(
  asked: ProviderChoice,
  metrics: Metrics,
  log: Log,
  now: () => number,
): ProviderStatus {
  let latest: Pick<ProviderEvent, 'asked' | 'used'> | null = asked === 'cpu' ? { asked, used: asked } : null;
  metrics.gauge('cxr_gateway_provider_info', 'Provider of the network: asked for, and used.', async () =>
    latest === null ? [] : [{ labels: { asked: latest.asked, used: latest.used ?? 'none' }, value: 1 }],
  );
  const fallbacks = metrics.counter(
    'cxr_gateway_provider_fallbacks_total',
    'Times that the provider asked for could not be used.',
  );
  // There from the start: an alarm on its rise must see the first.
  fallbacks.add({}, 0);
  const runs = metrics.histogram('cxr_gateway_network_run_films', 'Films in a run of the shared network.', filmBounds);
  return {
    report(event) {
      if (event.kind === 'run') {
        runs.observe(event.films, { provider: event.provider });
        return;
      }
      const { used, reason } = event;
      latest = event;
      if (used === null || fellBack({ asked, used })) fallbacks.add();
      log({ time: new Date(now()).toISOString(), event: 'provider', asked, used, reason });
    },
    check: {
      name: 'provider',
      run: () => (latest?.used === null ? 'provider-unavailable' : null),
      note: () => (latest?.used && fellBack({ asked, used: latest.used }) ? 'provider-fallback' : null),
    },
  };
}
