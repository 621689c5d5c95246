import { describe, expect, test } from '@jest/globals';
import type { ProviderChoice } from '../../src/core/provider.ts';
import { createMetrics, createProviderStatus } from '../../src/http/index.ts';

function watch(asked: ProviderChoice) {
  const metrics = createMetrics();
  const lines: unknown[] = [];
  const status = createProviderStatus(
    asked,
    metrics,
    (line) => void lines.push(line),
    () => 0,
  );
  const ask = async () => ({ code: await status.check.run(), note: status.check.note?.() });
  return { status, metrics, lines, ask };
}

describe('what runs the network is told', () => {
  test('as asked for and used, in metrics and log, when a fall-back was allowed; it is no reason to stop', async () => {
    const { status, metrics, lines, ask } = watch('webgpu');
    expect(await metrics.text()).toContain('cxr_gateway_provider_fallbacks_total 0\n');
    status.report({ kind: 'provider', asked: 'webgpu', used: 'cpu', reason: 'no adapter' });
    const text = await metrics.text();
    expect(text).toContain('cxr_gateway_provider_info{asked="webgpu",used="cpu"} 1\n');
    expect(text).toContain('cxr_gateway_provider_fallbacks_total 1\n');
    expect(await ask()).toEqual({ code: null, note: 'provider-fallback' });
    expect(lines).toEqual([
      { time: '1970-01-01T00:00:00.000Z', event: 'provider', asked: 'webgpu', used: 'cpu', reason: 'no adapter' },
    ]);
  });

  test('as a failure of readiness when none can be used, until one can', async () => {
    const { status, metrics, ask } = watch('cuda');
    status.report({ kind: 'provider', asked: 'cuda', used: null, reason: 'no card' });
    expect(await metrics.text()).toContain('cxr_gateway_provider_info{asked="cuda",used="none"} 1\n');
    expect(await ask()).toEqual({ code: 'provider-unavailable', note: null });
    status.report({ kind: 'provider', asked: 'cuda', used: 'cuda', reason: null });
    expect(await ask()).toEqual({ code: null, note: null });
    expect(await metrics.text()).toContain('cxr_gateway_provider_fallbacks_total 1\n');
  });

  test('of auto as what it found: the CPU is no fall-back for whoever named nothing', async () => {
    const { status, metrics, ask } = watch('auto');
    status.report({ kind: 'provider', asked: 'auto', used: 'cpu', reason: 'no card' });
    expect(await metrics.text()).toContain('cxr_gateway_provider_fallbacks_total 0\n');
    expect(await ask()).toEqual({ code: null, note: null });
  });

  test('of the plain CPU from the start, because no process will tell', async () => {
    const { metrics, lines } = watch('cpu');
    expect(await metrics.text()).toContain('cxr_gateway_provider_info{asked="cpu",used="cpu"} 1\n');
    expect(lines).toEqual([]);
  });

  test('with the films of each run, so that an operator sees whether runs fill', async () => {
    const { status, metrics } = watch('cuda');
    for (const films of [1, 8]) status.report({ kind: 'run', provider: 'cuda', films });
    const text = await metrics.text();
    expect(text).toContain('cxr_gateway_network_run_films_bucket{provider="cuda",le="4"} 1\n');
    expect(text).toContain('cxr_gateway_network_run_films_sum{provider="cuda"} 9\n');
  });
});
