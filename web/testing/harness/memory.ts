// What a process holds in its memory: what a core dump would hold, read while it runs.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Largest piece that is read at once, in bytes. */
const PIECE = 2 ** 24;

/** Hands out the readable memory of a process piece by piece; pieces of one region overlap by `overlap` bytes. */
export function* memoryOf(pid: number, overlap: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const region = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(\S*)/.exec(line);
      // These belong to the kernel.
      if (region === null || ['[vvar]', '[vsyscall]', '[vvar_vclock]'].includes(region[3] ?? '')) continue;
      const end = BigInt(`0x${region[2]}`);
      for (let start = BigInt(`0x${region[1]}`); start < end; ) {
        const length = Math.min(PIECE, Number(end - start));
        const piece = Buffer.alloc(length);
        let read = 0;
        try {
          read = readSync(memory, piece, 0, length, start);
        } catch {
          // Gone since the list was read, or a guard page.
        }
        if (read > 0) yield piece.subarray(0, read);
        const step = length === PIECE ? length - overlap : length;
        start += BigInt(step);
      }
    }
  } finally {
    closeSync(memory);
  }
}
