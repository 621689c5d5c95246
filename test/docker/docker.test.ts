import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { driverEnvironment, resolveConfig } from '../../src/config.ts';
import { read, readCompose, readCudaOverlay, readStages, root } from './container-files.ts';

const stages = readStages('docker/Dockerfile');
const cudaStages = readStages('docker/Dockerfile.cuda');
const final = stages.at(-1)!;
const texts = (name: string) => final.filter((instruction) => instruction.name === name).map(({ text }) => text);
const compose = readCompose();

describe('the image', () => {
  test('ends as a user by number that is not root, because an orchestrator can only check a number', () => {
    expect(texts('USER')).toEqual(['1000:1000']);
    const order = final.map(({ name }) => name);
    expect(order.lastIndexOf('RUN')).toBeLessThan(order.indexOf('USER'));
  });

  test('runs no install script of any package, and holds no development package', () => {
    const installs = stages.flat().filter(({ text }) => text.includes('npm ci'));
    expect(installs).toHaveLength(2);
    for (const { text } of installs) expect(text).toContain('--ignore-scripts');
    const [source] = texts('COPY').filter((text) => text.includes('node_modules'));
    const stage = /--from=(\w+)/.exec(source!)![1];
    const [from, ...steps] = stages.find(([first]) => first!.text.endsWith(`AS ${stage}`))!;
    expect(from!.text).toContain('base');
    expect(steps.some(({ text }) => text.includes('--omit=dev'))).toBe(true);
  });

  test('is on the Node that the project is pinned to', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    const major = /\d+/.exec(engines.node)![0];
    const images = stages.map(([from]) => from!.text.split(' ')[0]!).filter((image) => image.startsWith('node:'));
    expect(new Set(images)).toEqual(new Set([`node:${major}-slim`]));
  });

  test('copies only what exists and what the ignore file lets through', () => {
    const copied = stages
      .flat()
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from='))
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    const [all, ...allowed] = read('docker/Dockerfile.dockerignore').trim().split('\n');
    expect(all).toBe('*');
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(copied.filter((path) => !allowed.includes(`!${path}`))).toEqual([]);
    expect(allowed.filter((line) => !copied.includes(line.slice(1)))).toEqual([]);
  });

  test('takes every folder that the packed package takes', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    const targets = texts('COPY').flatMap((text) => text.split(' '));
    expect(files.filter((folder) => !targets.includes(folder))).toEqual([]);
  });

  test('keeps the state in a volume that the user owns and nobody else reads', () => {
    expect(texts('VOLUME')).toEqual(['/state']);
    expect(texts('RUN').join()).toMatch(/mkdir -m 0700 \/state && chown 1000:1000 \/state/);
    expect(texts('ENV').join()).toContain('CXR_GATEWAY__JOBS__STATE_FOLDER=/state');
  });

  test('its health check passes on 200 and fails on 503 and on silence', async () => {
    const [text] = texts('HEALTHCHECK');
    const command = JSON.parse(text!.slice(text!.indexOf('['))) as string[];
    expect(command.slice(0, 2)).toEqual(['node', '-e']);
    let status = 200;
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const port = (server.address() as AddressInfo).port;
    const run = () =>
      new Promise<number | null>((done) => {
        spawn(process.execPath, ['-e', command[2]!.replace('8088', String(port))]).once('exit', done);
      });
    expect(await run()).toBe(0);
    status = 503;
    expect(await run()).toBe(1);
    await new Promise((done) => server.close(done));
    expect(await run()).toBe(1);
    expect(asked).toEqual(['/healthz', '/healthz']);
  });
});

describe('the compose file', () => {
  const services = Object.entries(compose.services);

  test('gives the gateway an environment that its own configuration accepts', () => {
    const environment = compose.services['gateway']!.environment!;
    const config = resolveConfig({ file: null, environment, flags: [], readFile: () => '' });
    expect(config).toMatchObject({
      pacs: { url: 'http://orthanc:8042/dicom-web' },
      fhir: { url: 'http://fhir:8080/fhir' },
      http: { host: '0.0.0.0', port: 8088 },
    });
  });

  test('names in addresses and dependencies are services, and volumes are declared', () => {
    const names = services.map(([name]) => name);
    const text = read('docker/compose.yaml');
    const hosts = [...text.matchAll(/http:\/\/([a-z][a-z-]*):/g)].map(([, host]) => host!);
    expect(hosts.filter((host) => !names.includes(host))).toEqual([]);
    const needed = services.flatMap(([, { depends_on }]) => Object.keys(depends_on ?? {}));
    expect(needed.filter((name) => !names.includes(name))).toEqual([]);
    const mounted = services.flatMap(([, { volumes }]) => (volumes ?? []).map((volume) => volume.split(':')[0]!));
    expect(mounted.sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  test('a service that another waits for to be healthy has a health check', () => {
    const awaited = services.flatMap(([, { depends_on }]) =>
      Object.entries(depends_on ?? {}).flatMap(([name, { condition }]) =>
        condition === 'service_healthy' ? [name] : [],
      ),
    );
    expect(awaited.sort()).toEqual(['fhir-health', 'orthanc']);
    for (const name of awaited) expect(compose.services[name]!.healthcheck?.test[0]).toBe('CMD');
  });

  test('publishes ports on loopback only, because Orthanc asks for no password here', () => {
    const ports = services.flatMap(([, { ports }]) => ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('pins every image that it does not build', () => {
    const pulled = services.filter(([, { build }]) => build === undefined).map(([, { image }]) => image);
    expect(pulled).toHaveLength(2);
    for (const image of pulled) expect(image).toMatch(/:v?\d+\.\d+\.\d+/);
  });

  test('our own containers write nowhere but to their volume, and hold no capability', () => {
    for (const [name, service] of services.filter(([, { build }]) => build !== undefined)) {
      expect([name, service]).toEqual([
        name,
        expect.objectContaining({
          read_only: true,
          cap_drop: ['ALL'],
          security_opt: ['no-new-privileges:true'],
        }),
      ]);
    }
  });

  test('builds from files that are there', () => {
    for (const [, { build }] of services) {
      if (build) expect(existsSync(join(root, 'docker', build.context, build.dockerfile))).toBe(true);
    }
  });
});

describe('the image for CUDA', () => {
  const [outer, gateway, providers, last] = cudaStages;
  const ofLast = (name: string) => last!.filter((each) => each.name === name).map(({ text }) => text);
  const inBoth = ['USER', 'VOLUME', 'EXPOSE', 'ENTRYPOINT', 'CMD', 'WORKDIR', 'RUN'];

  test.each(inBoth)('says the same %s as the one for the CPU, because only the network is another', (name) => {
    expect(ofLast(name)).toEqual(texts(name));
  });

  test('asks after its health in the same way, with more time to start', () => {
    const command = (text: string | undefined) => text!.slice(text!.indexOf('CMD'));
    expect(command(ofLast('HEALTHCHECK')[0])).toBe(command(texts('HEALTHCHECK')[0]));
  });

  test('is made of the image for the CPU and runs one install script, of the package that brings the providers', () => {
    expect(outer).toEqual([{ name: 'ARG', text: 'GATEWAY=cxr-gateway:local' }]);
    expect(gateway![0]!.text).toMatch(/^\$\{GATEWAY\} AS gateway$/);
    const runs = [...gateway!, ...providers!].filter(({ name }) => name === 'RUN').map(({ text }) => text);
    expect(runs).toEqual(['ONNXRUNTIME_NODE_INSTALL=cuda12 node /app/node_modules/onnxruntime-node/script/install.js']);
    expect(existsSync(join(root, 'node_modules/onnxruntime-node/script/install.js'))).toBe(true);
    const installer = read('node_modules/onnxruntime-node/script/install-metadata.js');
    expect(installer).toContain("'linux/x64:cuda12'");
  });

  test('stands on CUDA 12 with cuDNN at a version of its own, and on the Node of the other image', () => {
    expect(last![0]!.text).toMatch(/^nvidia\/cuda:12\.\d+\.\d+-cudnn-runtime-ubuntu\d+\.\d+$/);
    const nodeOf = (all: typeof stages) =>
      all.map(([from]) => from!.text.split(' ')[0]!).filter((image) => image.startsWith('node:'));
    expect(new Set(nodeOf(cudaStages))).toEqual(new Set(nodeOf(stages)));
  });

  test('asks for the card in settings that the configuration accepts, and leaves a driver only /tmp to write to', () => {
    const pairs = ofLast('ENV')[0]!
      .split(/\s+/)
      .map((pair) => pair.split('=') as [string, string]);
    const environment = { ...Object.fromEntries(pairs), ...compose.services['gateway']!.environment! };
    const config = resolveConfig({ file: null, environment, flags: [], readFile: () => '' });
    expect(config).toMatchObject({ provider: 'cuda', providerFallback: 'cpu', jobs: { stateFolder: '/state' } });
    expect(driverEnvironment(environment)).toMatchObject({
      CUDA_CACHE_PATH: '/tmp/cuda',
      NVIDIA_VISIBLE_DEVICES: 'all',
    });
    expect(compose.services['gateway']!.tmpfs).toEqual(['/tmp']);
  });
});

describe('the overlay for CUDA', () => {
  const gateway = readCudaOverlay().services.gateway;

  test('reserves a card, and builds from a file that is there', () => {
    expect(gateway.deploy.resources.reservations.devices).toEqual([
      { driver: 'nvidia', count: 1, capabilities: ['gpu'] },
    ]);
    expect(existsSync(join(root, 'docker', gateway.build.context, gateway.build.dockerfile))).toBe(true);
  });

  test('gives settings that the configuration accepts over those of the set-up below it, with studies enough to fill a run', () => {
    const environment = { ...compose.services['gateway']!.environment, ...gateway.environment };
    const config = resolveConfig({ file: null, environment, flags: [], readFile: () => '' });
    expect(config).toMatchObject({ provider: 'cuda', providerFallback: 'cpu' });
    expect(config.jobs.concurrency).toBe(2 * config.reader.batch.max);
  });
});

test('no secret stands in any of the files, because they are committed', () => {
  const words = /(password|secret|token|key)\w*['"]?\s*[:=]\s*['"]?[^\s'"]+/gi;
  const files = ['Dockerfile', 'Dockerfile.cuda', 'compose.yaml', 'compose.cuda.yaml'].map((name) => `docker/${name}`);
  const found = files.flatMap((path) => [...read(path).matchAll(words)]);
  expect(found.map(([text]) => text)).toEqual([]);
});

test('the README names every file of the folder', () => {
  const readme = read('docker/README.md');
  const yaml = ['compose.yaml', 'compose.cuda.yaml', 'gateway.example.yaml'];
  for (const file of ['Dockerfile', 'Dockerfile.cuda', ...yaml, 'gateway.schema.json', 'orthanc/']) {
    expect(readme).toContain(`\`${file}\``);
    expect(existsSync(join(root, 'docker', file))).toBe(true);
  }
});

// Not a skip: no installation of ours brings the plugin, and what it would say of the schema is held above.
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;
if (hasCompose) {
  test('docker compose itself accepts the files', () => {
    const files = ['compose.yaml', 'compose.cuda.yaml'].flatMap((name) => ['-f', join(root, 'docker', name)]);
    const { status, stderr } = spawnSync('docker', ['compose', ...files, 'config', '-q']);
    expect([status, stderr.toString()]).toEqual([0, '']);
  });
} else process.stderr.write('docker compose is not installed: its own check of the compose files is left out\n');
