/** The import table of the design: who may import whom, and which packages are whose. CONTRIBUTING.md explains it. */
export interface Row {
  /** Folders and top-level files of src/. */
  readonly imports: readonly string[];
  readonly packages: readonly string[];
  /** Node's own modules; all where it is left out. */
  readonly builtins?: readonly string[];
}

const row = (imports: readonly string[], packages: readonly string[] = []): Row => ({ imports, packages });

const folders = {
  core: { imports: [], packages: [], builtins: ['node:crypto'] },
  net: row(['core'], ['undici']),
  dicom: row(
    ['core', 'net'],
    [
      'dcmjs',
      'dicomweb-client',
      '@cornerstonejs/codec-charls',
      '@cornerstonejs/codec-libjpeg-turbo-8bit',
      '@cornerstonejs/codec-openjpeg',
      '@cornerstonejs/codec-openjph',
      'jpeg-lossless-decoder-js',
    ],
  ),
  fhir: row(['core', 'net'], ['fhir-kit-client']),
  model: row(['core'], ['onnxruntime-node', 'sharp', 'protobufjs', 'dejavu-fonts-ttf']),
  sources: row(['core', 'net']),
  jobs: row(['core'], ['node:sqlite', 'pg']),
  reader: row(['core', 'dicom', 'model']),
  outputs: row(['core', 'dicom', 'fhir']),
  science: row(['core', 'model'], ['csv-parse']),
  sandbox: row(['core', 'dicom'], ['express']),
  http: row(['core'], ['express']),
} as const satisfies Record<string, Row>;

const everyFolder = Object.keys(folders);

export const importTable: Readonly<Record<string, Row>> = {
  ...folders,
  'pipeline.ts': row(['core']),
  steps: row(['core', 'pipeline.ts']),
  'version.ts': row([]),
  'config.ts': row([...everyFolder, 'config-input.ts'], ['yaml']),
  'config-input.ts': row(['core']),
  // The wiring: what every command needs, what stands for servers, what only a gateway does, and what it does after a loss.
  'wire.ts': row([...everyFolder, 'config.ts', 'pipeline.ts', 'steps', 'version.ts']),
  'wire-peers.ts': row(['core', 'dicom', 'fhir', 'net', 'sources', 'config.ts']),
  'wire-gateway.ts': row([
    ...everyFolder,
    'config.ts',
    'pipeline.ts',
    'steps',
    'version.ts',
    'wire.ts',
    'wire-peers.ts',
    'wire-recovery.ts',
    'wire-watch.ts',
    'wire-world.ts',
  ]),
  'wire-world.ts': row(['core', 'dicom', 'jobs', 'outputs', 'steps', 'config.ts', 'wire.ts', 'wire-peers.ts']),
  'wire-watch.ts': row(['core', 'http', 'wire-peers.ts']),
  'wire-recovery.ts': row(['core', 'dicom', 'jobs', 'sources', 'steps', 'wire-peers.ts']),
  commands: row([
    ...['core', 'jobs', 'sandbox', 'science'],
    ...['config.ts', 'pipeline.ts', 'steps', 'wire.ts', 'wire-peers.ts', 'wire-gateway.ts', 'version.ts'],
  ]),
  'main.ts': row(['core', 'config.ts', 'wire.ts', 'commands', 'version.ts'], ['commander']),
};

/** Every folder but core may use it for the schemas of its own options and files. */
export const everyonesPackages: readonly string[] = ['zod'];

/** The only file that may read the environment of the process. */
export const environmentReader = 'config.ts';
