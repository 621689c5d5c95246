import { type Config, defaultReadingConfig, loadConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import type { Instance } from '../core/study.ts';
import { type Explanation, wireExplainer, wireFiles } from '../wire.ts';
import { wireArchive } from '../wire-peers.ts';
import { exitCodes } from './run.ts';

/** `explain FILE|STUDY…`: what every rule of the selection says of an image, with the values that it looked at. */

interface Input {
  /** Files, folders, and StudyInstanceUIDs of the archive of the configuration. */
  readonly what: readonly string[];
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export async function run({ what, config: path, set = [], json = false }: Input): Promise<number> {
  const config = path === undefined && set.length === 0 ? null : loadConfig(path ?? null, set);
  const explain = wireExplainer(config ?? defaultReadingConfig(), config === null ? 'files' : 'site');
  let told = 0;
  for await (const instances of studiesOf(what, config)) {
    for (const explanation of explain(instances)) {
      console.log(json ? JSON.stringify(lineOf(explanation)) : paragraphOf(explanation));
      if (explanation.instance.header !== null) told++;
    }
  }
  return told > 0 ? exitCodes.ok : exitCodes.data;
}

/** The objects of one study after another; those of files that name no study come last. */
async function* studiesOf(what: readonly string[], config: Config | null): AsyncGenerator<readonly Instance[]> {
  const uids = what.filter(isUid);
  const paths = what.filter((one) => !isUid(one));
  if (uids.length > 0) yield* studiesInArchive(uids, config);
  if (paths.length === 0) return;
  const files = wireFiles(config ?? defaultReadingConfig());
  try {
    for (const { instances } of await files.scan(paths)) yield instances;
  } finally {
    await files.close();
  }
}

async function* studiesInArchive(uids: readonly string[], config: Config | null) {
  if (config === null)
    throw new Failure('config-invalid', {
      where: 'the argument',
      expected: 'a file, or --config with the archive of the study',
    });
  const archive = wireArchive(config);
  try {
    for (const uid of uids) yield await archive.list(uid);
  } finally {
    await archive.close();
  }
}

/** One line of `--json`. */
function lineOf({ instance, choice, rules }: Explanation) {
  return {
    ...{ object: instance.key, outcome: choice.outcome },
    ...(choice.outcome === 'eligible'
      ? { reason: null, because: [], view: choice.view }
      : { reason: choice.code, because: choice.because, view: null }),
    rules: rules.map(({ rule, refusal, looked }) => ({
      rule,
      code: refusal?.code ?? null,
      because: refusal?.because ?? [],
      looked,
    })),
  };
}

function paragraphOf({ instance, choice, rules }: Explanation): string {
  const verdict =
    choice.outcome === 'eligible'
      ? `would be read, view ${choice.view}`
      : `${choice.outcome}, ${choice.code} (${choice.because.join('; ')})`;
  const width = Math.max(0, ...rules.map(({ rule }) => rule.length));
  const lines = rules.map(({ rule, refusal, looked }) => {
    const answer = refusal === null ? 'passes ' : 'refuses';
    const why = refusal === null ? '' : `${refusal.code}: ${refusal.because.join('; ')}. `;
    return `  ${answer} ${rule.padEnd(width)}  ${why}${looked.length > 0 ? `Looked at ${looked.join(', ')}` : ''}`.trimEnd();
  });
  return [`${instance.key}: ${verdict}`, ...lines].join('\n');
}
