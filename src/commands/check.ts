import { loadConfig } from '../config.ts';
import { wireModel } from '../wire.ts';
import { exitCodes } from './run.ts';

/** `check`: is the configuration valid? Offline: no server is asked; the model folder is looked at. */

interface Input {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export async function run({ config: path, set = [], json = false }: Input): Promise<number> {
  const config = loadConfig(path ?? null, set);
  const { identity } = wireModel(config);
  const result = {
    valid: true,
    pacs: config.pacs.url,
    fhir: config.fhir.url,
    model: identity.id,
    training: identity.training,
  };
  if (json) console.log(JSON.stringify(result));
  else {
    console.log(
      `The configuration is valid. PACS ${result.pacs}, FHIR ${result.fhir}, model ${identity.id} (${identity.training}).`,
    );
    if (identity.training === 'untrained' && !config.allowUntrained)
      console.log('Studies will wait: the model is untrained and allowUntrained is not set.');
  }
  return exitCodes.ok;
}
