import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { isReason, reasonExpected } from '../core/demand.ts';
import { Failure } from '../core/failure.ts';
import type { Demand } from '../core/study.ts';

/** What a person asks for on the command line, named. Raises `config-invalid` for a reason that tells nothing. */
export function demandOf(kind: Demand['kind'], reason: string, force = false): Demand {
  if (!isReason(reason)) throw new Failure('config-invalid', { where: '--reason', expected: reasonExpected });
  return { kind, reason: reason.trim(), by: caller(), id: randomUUID(), ...(force && { force }) };
}

/** A process in a container may have no user by name. */
function caller(): string {
  try {
    return `command/${userInfo().username}`.replaceAll(/[^\p{L}\p{N}._@/-]/gu, '-').slice(0, 64);
  } catch {
    return 'command';
  }
}
