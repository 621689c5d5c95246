import { describe, expect, test } from '@jest/globals';
import { type ConfigInput, configJsonSchema, driverEnvironment, resolveConfig } from '../src/config.ts';
import { Failure } from '../src/core/failure.ts';

const minimal = 'pacs: { url: http://127.0.0.1:8042/dicom-web }\nfhir: { url: http://127.0.0.1:8080/fhir }\n';

function input(overrides: Partial<ConfigInput> & { readonly text?: string }): ConfigInput {
  const { text = minimal, ...rest } = overrides;
  const readFile = (path: string) => `secret of ${path}\n`;
  return { file: { name: 'gateway.yaml', text }, environment: {}, flags: [], readFile, ...rest };
}

function refusal(overrides: Parameters<typeof input>[0]): string {
  try {
    resolveConfig(input(overrides));
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(Failure);
    expect((thrown as Failure).code).toBe('config-invalid');
    return (thrown as Failure).message;
  }
  throw new Error('the configuration was accepted');
}

describe('the configuration', () => {
  test('holds with nothing but the two addresses, because every other setting has a safe default', () => {
    const config = resolveConfig(input({}));
    expect(config.pacs.maxInFlight).toBe(2);
    expect(config.settle).toEqual({ quietSeconds: 5, maxMinutes: 15 });
    expect(config.allowUntrained).toBe(false);
    expect(config.http.host).toBe('127.0.0.1');
  });

  test('runs the network on the CPU unless somebody asks for more, because that is there and known everywhere', () => {
    expect(resolveConfig(input({}))).toMatchObject({ provider: 'cpu', providerFallback: 'cpu' });
    expect(refusal({ text: `${minimal}provider: gpu\n` })).toContain('provider: expected');
  });

  test('holds as two environment variables and no file', () => {
    const environment = {
      CXR_GATEWAY__PACS__URL: 'http://127.0.0.1:8042/dicom-web',
      CXR_GATEWAY__FHIR__URL: 'http://127.0.0.1:8080/fhir',
    };
    expect(resolveConfig(input({ file: null, environment })).fhir.url).toBe('http://127.0.0.1:8080/fhir');
  });

  test('takes a flag over the environment and the environment over the file', () => {
    const text = `${minimal}heatmapMaxSide: 512\nreader: { timeoutSeconds: 10 }\n`;
    const environment = { CXR_GATEWAY__HEATMAP_MAX_SIDE: '640', CXR_GATEWAY__READER__TIMEOUTSECONDS: '11' };
    const config = resolveConfig(input({ text, environment, flags: ['heatmapMaxSide=768'] }));
    expect(config.heatmapMaxSide).toBe(768);
    expect(config.reader.timeoutSeconds).toBe(11);
  });

  test('finds a key of the environment without case and underscores, because both are lost in many shells', () => {
    const environment = { CXR_GATEWAY__ALLOW_UNTRAINED: 'true', CXR_GATEWAY__PACS__QIDO_URL: 'http://127.0.0.1/qido' };
    const config = resolveConfig(input({ environment }));
    expect(config.allowUntrained).toBe(true);
    expect(config.pacs.qidoUrl).toBe('http://127.0.0.1/qido');
  });

  test('reads a secret from the file that a *File key names', () => {
    const text =
      'pacs: { url: http://127.0.0.1/d, username: u, passwordFile: /run/pw }\nfhir: { url: http://127.0.0.1/f }\n';
    const environment = { CXR_GATEWAY__SITE_SECRET_FILE: '/run/secrets/site' };
    const config = resolveConfig(input({ text, environment }));
    expect(config.siteSecret).toBe('secret of /run/secrets/site');
    expect(JSON.stringify(config)).toContain('secret of /run/pw');
  });

  test('is frozen all through', () => {
    const config = resolveConfig(input({}));
    expect(Object.isFrozen(config.pacs)).toBe(true);
    expect(() => {
      (config.pacs as { url: string }).url = 'x';
    }).toThrow(TypeError);
  });
});

describe('a fault in the configuration', () => {
  test.each([
    [
      'an unknown key',
      { text: `${minimal}flagSuspectedCovd: false` },
      /flagSuspectedCovd.*did you mean flagSuspectedCovid/s,
    ],
    ['a nested unknown key', { text: 'pacs: { urll: x }\nfhir: { url: http://h/f }' }, /pacs\.urll.*did you mean url/s],
    [
      'an unknown variable',
      { environment: { CXR_GATEWAY__PCAS__URL: 'http://h' } },
      /CXR_GATEWAY__PCAS__URL.*did you mean pacs/s,
    ],
    ['an unknown flag', { flags: ['heatmapMaxsides=3'] }, /heatmapMaxsides.*did you mean heatmapMaxSide/s],
    ['a wrong type', { text: `${minimal}allowUntrained: perhaps` }, /allowUntrained: expected boolean; got string/],
    ['a missing address', { text: 'pacs: { url: http://h/d }' }, /fhir: expected .*; got (undefined|nothing)/],
    ['a number out of range', { text: `${minimal}heatmapMaxSide: 5` }, /heatmapMaxSide: expected .*256/],
    ['a time zone by name', { text: `${minimal}timezoneOffset: Europe/Berlin` }, /timezoneOffset/],
    ['text that is no YAML', { text: 'pacs: [unclosed' }, /gateway\.yaml, line 1/],
  ])('is refused with where, expected and got: %s', (_name, overrides, expected) => {
    expect(refusal(overrides)).toMatch(expected);
  });

  test('never repeats a secret', () => {
    expect(refusal({ text: `${minimal}siteSecret: canary-77` })).not.toContain('canary-77');
  });

  test('does not hide another: all are told at once', () => {
    const message = refusal({ text: `${minimal}allowUntrained: 3\nheatmapMaxSide: no\n` });
    expect(message).toMatch(/allowUntrained/);
    expect(message).toMatch(/heatmapMaxSide/);
  });
});

test('the JSON Schema for editors names every key with what it does', () => {
  const schema = configJsonSchema() as { properties: Record<string, { description?: string }> };
  expect(Object.keys(schema.properties)).toContain('flagSuspectedCovid');
  expect(schema.properties['allowUntrained']?.description).toMatch(/untrained/);
});

test('a driver hears where its files are and nothing else, because its process is shown no secret', () => {
  const secret = { CXR_GATEWAY__PACS__PASSWORD: 'secret', HTTPS_PROXY: 'http://u:p@proxy', NODE_OPTIONS: '--inspect' };
  const named = {
    VK_DRIVER_FILES: '/driver.json',
    CUDA_VISIBLE_DEVICES: '0',
    LD_LIBRARY_PATH: '/usr/local/cuda/lib64',
  };
  expect(driverEnvironment({ ...secret, ...named })).toEqual(named);
});
