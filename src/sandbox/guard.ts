import { spawn } from 'node:child_process';

/**
 * Runs a command and ends it when its own standard input closes, which happens when the process that started it dies,
 * however it dies. Arguments: seconds until a command that does not end is killed, the command, its arguments.
 */
const [graceSeconds = '10', command = '', ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });

function stop(): void {
  server.kill('SIGTERM');
  setTimeout(() => server.kill('SIGKILL'), Number(graceSeconds) * 1000).unref();
}

server.once('exit', (code) => process.exit(code ?? 1));
server.once('error', () => process.exit(127));
process.stdin.resume().once('close', stop);
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
