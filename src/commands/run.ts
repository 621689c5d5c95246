import { asFailure, type FailureCode, failures, isFailureCode } from '../core/failure.ts';

/** How a command ends: its exit code, sysexits where one fits. */

export type CommandRun<Input> = (input: Input) => Promise<number>;

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  data: 65,
  unavailable: 69,
  internal: 70,
  io: 74,
  locked: 75,
  config: 78,
} as const;

const byCode: Partial<Record<FailureCode, number>> = {
  'config-invalid': exitCodes.config,
  'model-unusable': exitCodes.config,
  'provider-unavailable': exitCodes.unavailable,
  'store-locked': exitCodes.locked,
  'store-failed': exitCodes.io,
  'disk-full': exitCodes.io,
  'table-invalid': exitCodes.data,
  'images-unreadable': exitCodes.data,
  internal: exitCodes.internal,
};

/** Exit code for what was thrown: 65 for data, 69 for a peer, or as the table says. */
export function exitCodeOf(thrown: unknown): number {
  return exitCodeOfCode(asFailure(thrown).code);
}

export function exitCodeOfCode(code: string | null): number {
  if (code === null || !isFailureCode(code)) return exitCodes.failure;
  const known = byCode[code];
  if (known !== undefined) return known;
  if (/^(pacs|fhir)-/.test(code)) return exitCodes.unavailable;
  return ['quarantine', 'skip'].includes(failures[code].class) ? exitCodes.data : exitCodes.failure;
}

/** Runs a command and ends the process with its exit code. A failure is told in one line; a fault of ours with its stack. */
export async function runCommand<Input>(
  load: () => Promise<{ readonly run: CommandRun<Input> }>,
  input: Input,
): Promise<void> {
  try {
    const { run } = await load();
    process.exitCode = await run(input);
  } catch (thrown) {
    const failure = asFailure(thrown);
    console.error(`cxr-gateway: ${failure.message}`);
    if (failure.code === 'internal') console.error(failure.detail.cause ?? failure);
    process.exitCode = exitCodeOf(failure);
  }
}
