#!/usr/bin/env node
import { Command, Option } from 'commander';
import { exitCodes, runCommand } from './commands/run.ts';
import { providerChoices } from './core/provider.ts';
import { precisions } from './core/reading.ts';
import { requireNode, version } from './version.ts';

/** The command line: one line per command. A command is loaded when it runs: an older Node still gets as far as being told. */

requireNode(24);
const program = new Command('cxr-gateway').version(version());
program
  .showHelpAfterError('(--help tells more)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.usage));
program.description(
  'Reads frontal chest radiographs for airspace opacity and writes back a Structured Report, a Grad-CAM picture and a DiagnosticReport. Research software; AI output, not reviewed.',
);

const command = (usage: string, description: string, examples: readonly string[]) =>
  program
    .command(usage)
    .description(description)
    .addHelpText('after', ['', 'Examples:', ...examples].join('\n  '));
const reading = (usage: string, description: string, examples: readonly string[]) =>
  command(usage, description, examples)
    .option('--model <id>', 'the model: folder in models/, or its path')
    .addOption(new Option('--precision <kind>', 'how the network computes').choices(precisions).default('float32'))
    .addOption(new Option('--provider <name>', 'what runs the network').choices(providerChoices).default('cpu'));
const configured = (usage: string, description: string, examples: readonly string[]) =>
  command(usage, description, examples)
    .option('-c, --config <file>', 'configuration: YAML or JSON')
    .option('--set <key=value...>', 'a setting over file and environment');

configured('serve', 'run the gateway', [
  'cxr-gateway serve --config gateway.yaml',
  'CXR_GATEWAY__PACS__URL=… CXR_GATEWAY__FHIR__URL=… cxr-gateway serve',
]).action((options) => runCommand(() => import('./commands/serve.ts'), options));
reading('read <path...>', 'read DICOM files or folders without any server', [
  'cxr-gateway read film.dcm',
  'cxr-gateway read folder/ --out results --json',
])
  .option('--out <dir>', 'write SR, heat-map and FHIR bundle of each study')
  .option('--json', 'one JSON line a file')
  .action((paths, options) => runCommand(() => import('./commands/read.ts'), { paths, ...options }));
configured('explain <what...>', 'tell why images are read or not: files, folders or studies of the PACS', [
  'cxr-gateway explain film.dcm',
  'cxr-gateway explain 1.2.840.99.1 --config gateway.yaml',
])
  .option('--json', 'one JSON line an object')
  .action((what, options) => runCommand(() => import('./commands/explain.ts'), { what, ...options }));
configured('study <uid>', 'process one study of the PACS now', ['cxr-gateway study 1.2.840.99.1 --config gateway.yaml'])
  .option('--json', 'the outcome as JSON')
  .action((studyInstanceUid, options) =>
    runCommand(() => import('./commands/study.ts'), { studyInstanceUid, ...options }),
  );
configured('replay [uids...]', 'read studies anew, with the present model and settings', [
  'cxr-gateway replay 1.2.840.99.1 --reason "new operating point" --config gateway.yaml',
  'cxr-gateway replay --state dead --code retries-exhausted --reason "FHIR server is back" --config gateway.yaml',
])
  .requiredOption('--reason <text>', 'why: it stands in the history of each study')
  .option('--state <state>', 'all studies in this state')
  .option('--code <code>', 'all studies with this code')
  .option('--force', 'a new version although nothing changed')
  .option('--json', 'one JSON line a study')
  .action((uids, options) => runCommand(() => import('./commands/replay.ts'), { uids, ...options }));
configured('retract <uid>', 'take back every result of a study', [
  'cxr-gateway retract 1.2.840.99.1 --reason "read by the wrong model" --config gateway.yaml',
])
  .requiredOption('--reason <text>', 'why: it stands in the report, in the rejection note and in the history')
  .option('--json', 'the outcome as JSON')
  .action((studyInstanceUid, options) =>
    runCommand(() => import('./commands/retract.ts'), { studyInstanceUid, ...options }),
  );
configured('backfill', 'have the studies of some days read', [
  'cxr-gateway backfill --from 2026-01-01 --to 2026-01-31 --dry-run --config gateway.yaml',
  'cxr-gateway backfill --from 2026-01-01 --to 2026-01-31 --rate 30 --config gateway.yaml',
])
  .requiredOption('--from <day>', 'first StudyDate, YYYY-MM-DD')
  .requiredOption('--to <day>', 'last StudyDate, YYYY-MM-DD')
  .option('--rate <number>', 'studies a minute', '60')
  .option('--dry-run', 'only tell what would be read')
  .option('--json', 'results as JSON lines')
  .action((options) => runCommand(() => import('./commands/backfill.ts'), options));
reading('evaluate', 'measure a model on films whose labels are known', [
  'cxr-gateway evaluate --images films.csv --root films/ --out evaluation',
  'cxr-gateway evaluate --images studies.csv --root archive/ --dicom --prevalence 0.1 --out evaluation',
])
  .requiredOption('--images <csv>', 'table with the columns file, label (opacity, none, covid, other) and group')
  .requiredOption('--root <dir>', 'folder that the files of the table lie in')
  .requiredOption('--out <dir>', 'folder for metrics.json, predictions.csv and report.html')
  .option('--models <dir>', 'a folder of models that is not the one shipped')
  .option('--prevalence <share>', 'share of positive studies that figures are re-weighted to', '0.0257')
  .option('--specificity <share>', 'tell the sensitivity at this specificity', '0.718')
  .option('--radiologist-rate <number>', 'images that a radiologist reads in a minute', '1.75')
  .option('--include-other', 'count the label other as negative')
  .option('--unrelated-groups', 'the groups of the table are not those of the training, though numbers may agree')
  .option('--dicom', 'only DICOM counts; a row may name a folder with the films of one study')
  .option('--shortcuts', 'score the films again with edges, corners, lungs or all else masked, and squashed alike')
  .option('--readers <number>', 'reader processes; by default one a core')
  .action((options) => runCommand(() => import('./commands/evaluate.ts'), options));
command('train-head', "train a model's last layer on films whose labels are known", [
  'cxr-gateway train-head --images films.csv --root films/ --backbone resnet101-airspace-opacity --id our-site --out our-models',
  'cxr-gateway train-head --images films.csv --root films/ --backbone our-models/our-site --id our-site-2 --out our-models --epochs 30',
])
  .requiredOption('--images <csv>', 'table with the columns file, label (opacity, none, covid, other) and group')
  .requiredOption('--root <dir>', 'folder that the files of the table lie in')
  .requiredOption('--backbone <id>', 'the model whose layers stay: folder in models/, or its path')
  .requiredOption('--id <id>', 'name of the new model')
  .requiredOption('--out <dir>', 'folder of models that the new one is put into')
  .option('--models <dir>', 'a folder of models that is not the one shipped, for --backbone')
  .option('--epochs <number>', 'how often every training film is seen', '8')
  .option('--batch <number>', 'films of a step', '10')
  .option('--learning-rate <rate>', 'of stochastic gradient descent', '1e-4')
  .option('--momentum <share>', 'of stochastic gradient descent', '0.9')
  .option('--l2 <factor>', 'of half the squared weights', '1e-4')
  .option('--raw-features', 'train on the features as they are, not scaled, and with a bias')
  .option('--split <share>', 'training share of each label, by group', '0.7')
  .option('--seed <number>', 'of the split and of every shuffle', '1')
  .option('--include-covid', 'confirmed COVID-19 counts as opacity; the model then says so')
  .option('--operating-point <rule>', 'youden, specificity=0.9, or a threshold', 'youden')
  .option('--name <name>', 'what results call the model')
  .option('--model-version <version>', 'of the new model', '1')
  .option('--manufacturer <name>', "of the new model; by default the backbone's")
  .option('--work <dir>', 'where features are kept between runs; by default .features in --out')
  .option('--readers <number>', 'reader processes; by default one a core')
  .action((options) => runCommand(() => import('./commands/train-head.ts'), options));
command('quantize', "keep a model's weights in 8 bits, and measure what that changes", [
  'cxr-gateway quantize --model float-models/our-site --images held-out.csv --root films/ --out models',
  'cxr-gateway quantize --model float-models/our-site --images held-out.csv --root films/ --calibrate trained-on.csv --out models',
])
  .requiredOption('--model <id>', 'the model: folder in models/, or its path')
  .requiredOption('--images <csv>', 'table of films that float and 8-bit weights are compared on, as of evaluate')
  .requiredOption('--root <dir>', 'folder that the files of the tables lie in')
  .requiredOption('--out <dir>', 'folder of models that the new one, of the same id, is put into')
  .option('--models <dir>', 'a folder of models that is not the one shipped')
  .option('--calibrate <csv>', 'table of films that the model was trained on: makes its int8 variant too')
  .option('--films <number>', 'most films to calibrate on', '300')
  .option('--keep-failing', 'write an int8 variant that misses its limits too; int8.json says so')
  .option('--readers <number>', 'reader processes; by default one a core')
  .action((options) => runCommand(() => import('./commands/quantize.ts'), options));
command('demo', 'an archive, a FHIR server and the gateway on this machine, with three drawn films', [
  'cxr-gateway demo',
  'cxr-gateway demo --orthanc --exit',
])
  .option('--orthanc', 'a real Orthanc as the archive')
  .option('--exit', 'end when the results are there')
  .option('--json', 'the places of the results as JSON')
  .action((options) => runCommand(() => import('./commands/demo.ts'), options));
configured('check', 'validate a configuration, offline', ['cxr-gateway check --config gateway.yaml'])
  .option('--json', 'the result as JSON')
  .action((options) => runCommand(() => import('./commands/check.ts'), options));

await program.parseAsync();
