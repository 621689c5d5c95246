import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { driverEnvironment, type ReadingConfig } from './config.ts';
import type { Examine } from './core/examination.ts';
import { Failure } from './core/failure.ts';
import type { Archive, GatewayIdentity, Ledger } from './core/ports.ts';
import type { NetworkEvent, ProviderChoice } from './core/provider.ts';
import type { ContentSettings } from './core/reading.ts';
import type { Instance } from './core/study.ts';
import type { TakeOverPorts } from './core/take-over.ts';
import { createFolder, createFolderDestination, type FolderStudy, scanFolder } from './dicom/folder.ts';
import { describe } from './dicom/header.ts';
import { createResultFinder } from './dicom/result-finder.ts';
import { createSelectionRules, fileSelectionOptions, type SelectionOptions, select } from './dicom/select.ts';
import { type Explanation, explainStudy } from './dicom/select-explain.ts';
import type { ReportOptions } from './fhir/options.ts';
import { proceduresSchema } from './fhir/procedures.ts';
import { type LoadedModel, loadModel } from './model/manifest.ts';
import { createOutputs, parseCodes } from './outputs/index.ts';
import { createReader, type Reader } from './reader/index.ts';
import type { World } from './steps/index.ts';
import { version } from './version.ts';

/** Builds what reads a film; reads `mappings/` and `models/` and hands them in. With `wire-gateway.ts` the only file that may import everything. */

const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const mapping = (name: string): unknown =>
  JSON.parse(readFileSync(join(packageRoot, 'mappings', `${name}.json`), 'utf8')) as unknown;

export type { Explanation, FolderStudy };

const gateway: GatewayIdentity = {
  manufacturer: 'cxr-gateway project',
  modelName: 'cxr-gateway',
  softwareVersion: version(),
};

/** The model of the shipped ones that a gateway uses when its configuration names none: the first that is there. */
const shippedModels = ['resnet101-airspace-opacity', 'resnet101-narrow-untrained'];

/** The model that the configuration names. Raises `model-unusable`. */
export function wireModel({ model: { id, folder, precision } }: Pick<ReadingConfig, 'model'>): LoadedModel {
  const models = folder ?? join(packageRoot, 'models');
  const name = id ?? shippedModels.find((candidate) => existsSync(join(models, candidate)));
  if (name === undefined)
    throw new Failure('model-unusable', { where: 'models', expected: shippedModels.join(' or ') });
  return loadModel(join(models, name), precision);
}

/** What the spine needs whatever its archive and destinations are. */
type Core = Pick<
  World,
  'reader' | 'outputs' | 'select' | 'describe' | 'model' | 'settings' | 'codes' | 'gateway' | 'reportFailures'
>;

export interface CoreOptions {
  readonly config: ReadingConfig;
  readonly model: LoadedModel;
  readonly selection: SelectionOptions;
  readonly report: ReportOptions;
  /** Films read at the same time. */
  readonly atOnce?: number;
  /** Hears what runs the network. */
  readonly onNetwork?: (event: NetworkEvent) => void;
}

export function wireCore({
  config,
  model,
  selection,
  report,
  atOnce = 1,
  onNetwork,
}: CoreOptions): Core & { readonly reader: Reader } {
  const selecting = selectionWith(selection, model);
  const procedures = proceduresSchema.parse(mapping('procedures'));
  return {
    reader: createReader({
      modelFolder: model.folder,
      ...readerOptions(config),
      atOnce,
      ...(onNetwork && { report: onNetwork }),
    }),
    outputs: createOutputs({ fhirReport: { procedures, report } }),
    select: (instances, now) => select(instances, ...selecting(now)),
    describe,
    model: model.identity,
    settings: contentSettings(config, model),
    codes: parseCodes(mapping('codes')),
    gateway,
    reportFailures: config.reportFailures,
  };
}

/** The rules, and what they know besides a header. Raises `config-invalid`. */
function selectionWith(selection: SelectionOptions, { identity }: Pick<LoadedModel, 'identity'>) {
  const rules = createSelectionRules(mapping('selection'), mapping('views'), selection);
  const ownDeviceUids = new Set([identity.deviceUid]);
  return (now: number) => [rules, { now, ownDeviceUids, ownUids: new Set<string>() }] as const;
}

/** Finds our own results in the archive that they go to. */
export function wireResultFinder(
  { model, gateway, codes, reader }: Pick<Core, 'model' | 'gateway' | 'codes' | 'reader'>,
  selection: SelectionOptions,
  archives: { readonly archive: Archive; readonly results: Archive | null },
): TakeOverPorts['result'] {
  const rules = createSelectionRules(mapping('selection'), mapping('views'), selection);
  return createResultFinder({ ...archives, model, gateway, codes, reader, rules });
}

/** Tells why the images of a study are read or not, by the options of a site, or by those of `read`. */
export function wireExplainer(config: ReadingConfig, of: 'site' | 'files') {
  const selection = of === 'files' ? { ...config.selection, ...fileSelectionOptions } : config.selection;
  const selecting = selectionWith(selection, wireModel(config));
  return (instances: readonly Instance[]): readonly Explanation[] => explainStudy(instances, ...selecting(Date.now()));
}

/** What is asked to run the network: 8-bit integers are the CPU's alone. Raises `config-invalid`. */
export function providerOf({ provider, model: { precision } }: ReadingConfig): ProviderChoice {
  if (precision === 'float32') return provider;
  if (provider === 'cpu' || provider === 'auto') return 'cpu';
  const expected = 'cpu or auto, as model.precision is int8';
  throw new Failure('config-invalid', { where: 'provider', expected, got: provider });
}

function readerOptions(config: ReadingConfig) {
  const { reader, providerFallback, model } = config;
  const provider = providerOf(config);
  const { precision } = model;
  return { ...reader, precision, provider, providerFallback, driverEnvironment: driverEnvironment() };
}

function contentSettings(config: ReadingConfig, { manifest }: Pick<LoadedModel, 'manifest'>): ContentSettings {
  const { heatmapMaxSide, flagSuspectedCovid, procedureReported, timezoneOffset = null, reducedDecoding } = config;
  const operatingPoint = config.model.operatingPoint ?? manifest.operatingPoint;
  const settings = { operatingPoint, heatmapMaxSide, flagSuspectedCovid, procedureReported, timezoneOffset };
  return reducedDecoding ? { ...settings, reducedDecoding } : settings;
}

/** The world of the command `read`: files in, files out, nothing kept. */
export interface FilesWorld {
  readonly scan: (paths: readonly string[]) => Promise<readonly FolderStudy[]>;
  /** What the rules say of files that belong to no study. */
  readonly select: World['select'];
  readonly of: (study: FolderStudy, out: string | null, ledger: Ledger) => World;
  readonly close: () => Promise<void>;
}

/** Identities of `read` need no site: files that are read twice give the same objects. */
const noSite = 'files, no site';

export function wireFiles(config: ReadingConfig): FilesWorld {
  const report: ReportOptions = { issuers: {}, aiSecurityLabel: false, wadoRoot: null };
  const selection = { ...config.selection, ...fileSelectionOptions };
  const core = wireCore({ config, model: wireModel(config), selection, report });
  return {
    scan: (paths) => scanFolder(paths, core.reader),
    select: core.select,
    of: (study, out, ledger) => ({
      ...core,
      archive: createFolder([study]),
      ledger,
      outputs: out === null ? [] : core.outputs,
      destinations: out === null ? [] : [createFolderDestination(out)],
      siteSecret: noSite,
      settle: { quietSeconds: 0, maxSeconds: 0 },
      progress: async () => {},
      now: Date.now,
    }),
    close: () => core.reader.close(),
  };
}

/** The reader as science uses it: files in, scores and features out. */
export interface Examiner {
  /** The model's facts; its weights are in the child alone. */
  readonly model: Omit<LoadedModel, 'weights'>;
  readonly examine: Examine;
  readonly close: () => Promise<void>;
}

export interface ExaminerOptions {
  /** Files examined at the same time, each in a child of its own; 1 by default. */
  readonly atOnce?: number;
  /** Threads of the network in each child; 0 = as many as there are cores; by default the configuration's. */
  readonly threads?: number;
}

/** Raises `model-unusable` when the model folder is not sound; a graph that does not load shows at the first file. */
export function wireExaminer(config: ReadingConfig, { atOnce = 1, threads }: ExaminerOptions = {}): Examiner {
  const { weights: _, ...model } = wireModel(config);
  const settings = contentSettings(config, model);
  const limits = { ...readerOptions(config), threads: threads ?? config.reader.threads };
  const reader = createReader({ modelFolder: model.folder, ...limits, atOnce, spares: 0 });
  return {
    model,
    examine: (path, { picture = false } = {}) => reader.examine({ path, picture, settings }),
    close: () => reader.close(),
  };
}
