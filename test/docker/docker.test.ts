import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { resolveConfig } from '../../src/config.ts';
import { read, readCompose, readStages, root } from './container-files.ts';

const stages = readStages('docker/Dockerfile');
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
      allowUntrained: true,
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

test('no secret stands in any of the files, because they are committed', () => {
  const words = /(password|secret|token|key)\w*['"]?\s*[:=]\s*['"]?[^\s'"]+/gi;
  const found = ['docker/Dockerfile', 'docker/compose.yaml'].flatMap((path) => [...read(path).matchAll(words)]);
  expect(found.map(([text]) => text)).toEqual([]);
});

test('the README names every file of the folder', () => {
  const readme = read('docker/README.md');
  for (const file of ['Dockerfile', 'compose.yaml', 'gateway.example.yaml', 'gateway.schema.json', 'orthanc/']) {
    expect(readme).toContain(`\`${file}\``);
    expect(existsSync(join(root, 'docker', file))).toBe(true);
  }
});

// Not a skip: no installation of ours brings the plugin, and what it would say of the schema is held above.
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;
if (hasCompose) {
  test('docker compose itself accepts the file', () => {
    const file = join(root, 'docker/compose.yaml');
    const { status, stderr } = spawnSync('docker', ['compose', '-f', file, 'config', '-q']);
    expect([status, stderr.toString()]).toEqual([0, '']);
  });
} else process.stderr.write('docker compose is not installed: its own check of compose.yaml is left out\n');
