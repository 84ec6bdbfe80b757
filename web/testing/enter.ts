// Runs a command in a network of its own: `node --experimental-strip-types testing/enter.ts <program> <arguments>`.
//
// Firefox does not pair with 127.0.0.1, tests drop packets, and nothing that a page or the server sends may leave the
// machine. So the tests, the server and the browsers all live in one network namespace. Where that is forbidden the
// command runs outside, and each test that needs the namespace fails and says why.
import { spawn, spawnSync } from 'node:child_process';

import { INSIDE, REFUSED, setUpCommands } from './harness/namespace.ts';


const [program, ...rest] = process.argv.slice(2);
if (program === undefined) throw new Error('Say what to run in the namespace.');

/**
 * Without rights of our own we get them in a user namespace, which owns the network namespace. We stay who we are there:
 * tcpdump, run by a root, would want to become somebody else.
 */
const own = ['unshare', '--user', '--map-current-user', '--keep-caps', '--net'];
const unshare = process.getuid?.() === 0 ? ['unshare', '--net'] : own;
const setUp = ['set -e', ...setUpCommands()].join('\n');

/** Null, or why there can be no namespace here. */
function refusal(): string | null {
  const tried = spawnSync(unshare[0] ?? '', [...unshare.slice(1), 'sh', '-c', setUp], { encoding: 'utf8' });
  if (tried.status === 0) return null;
  return (tried.error?.message ?? tried.stderr.trim()) || `unshare ended with ${tried.status}`;
}

const refused = refusal();
const command =
  refused === null ? [...unshare, 'sh', '-c', `${setUp}\nexec "$@"`, 'enter', program, ...rest] : [program, ...rest];
if (refused !== null) console.error(`No network namespace: ${refused}. The tests that need one will fail.`);
const child = spawn(command[0] ?? '', command.slice(1), {
  stdio: 'inherit',
  env: { ...process.env, ...(refused === null ? { [INSIDE]: '1' } : { [REFUSED]: refused }) },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
