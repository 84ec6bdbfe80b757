// All processes of one browser, for putting a laptop to sleep.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** A mark on a browser's command line by which its processes are found. Chromium ignores switches that it does not know. */
export function newMark(): string {
  return `--undertone-test-mark=${randomBytes(8).toString('hex')}`;
}

/** Stops every process of the browser that was started with `mark`, as closing the lid does. */
export function suspend(mark: string): void {
  for (const pid of processes(mark)) process.kill(pid, 'SIGSTOP');
}

/** Lets them run again. */
export function wake(mark: string): void {
  for (const pid of processes(mark)) process.kill(pid, 'SIGCONT');
}

/** The process with the mark and all that descend from it. */
function processes(mark: string): number[] {
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (command.split('\0').includes(mark)) found.add(pid);
      // After the name in parentheses: state, parent.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, parent] of parents) {
      if (!found.has(pid) && found.has(parent)) {
        found.add(pid);
        grew = true;
      }
    }
  }
  if (found.size === 0) throw new Error(`No process has the mark ${mark}.`);
  return [...found];
}
