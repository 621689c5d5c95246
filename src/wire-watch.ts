import { createCertificateWatch } from './core/certificate-watch.ts';
import type { Log } from './core/ports.ts';
import type { GatewayMetrics } from './http/index.ts';
import type { PeerWatch } from './wire-peers.ts';

/** Alerts on what the servers refuse and on certificates that end, and the metric of the latter. */
export function watchPeers({ metrics }: GatewayMetrics, log: Log): PeerWatch {
  const certificates = createCertificateWatch(log, Date.now);
  metrics.gauge('cxr_gateway_certificate_days_left', 'Days until the certificate of a server ends.', async () =>
    certificates.daysLeft().map(({ peer, days }) => ({ labels: { peer }, value: days })),
  );
  return {
    refused: (peer, code) => log({ time: new Date().toISOString(), event: 'alert', code, source: peer }),
    certificate: certificates.seen,
  };
}
