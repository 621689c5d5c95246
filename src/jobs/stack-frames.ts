import { types } from 'node:util';

/** Where an unexpected error came from. Its message stays out of the log: nobody vouches that it quotes no patient. */
export function stackFrames(error: unknown): string {
  if (!types.isNativeError(error)) return `thrown: a ${typeof error}`;
  const { stack = '', message } = error;
  const afterMessage = stack.slice(stack.indexOf(message) + message.length);
  const lines = afterMessage.split('\n').filter((line) => /^ {4}at /.test(line));
  return [error.constructor.name, ...lines.map((line) => line.trim())].join('\n');
}
