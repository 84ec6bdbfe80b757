// Looking for many short samples of bytes in many packets. Counts of zero and their controls come from the same code.

/** Bytes of one sample. Sixteen random bytes do not meet by chance. */
export const SAMPLE_LENGTH = 16;

/** Different byte values that a sample must hold: zeroes, ramps and silence would be found anywhere. */
const DISTINCT_MIN = 10;

/** Cuts non-overlapping samples out of `frames`, leaving out those that are too regular to prove anything. */
export function samplesOf(frames: readonly Buffer[], limit: number): Buffer[] {
  const samples: Buffer[] = [];
  const seen = new Set<string>();
  for (const frame of frames) {
    for (let start = 0; start + SAMPLE_LENGTH <= frame.length; start += SAMPLE_LENGTH) {
      const sample = frame.subarray(start, start + SAMPLE_LENGTH);
      const text = sample.toString('latin1');
      if (new Set(sample).size < DISTINCT_MIN || seen.has(text)) continue;
      seen.add(text);
      samples.push(sample);
      if (samples.length >= limit) return samples;
    }
  }
  return samples;
}

/** How many of `samples` occur, at any offset, in at least one of `packets`. */
export function countFound(samples: readonly Buffer[], packets: readonly Buffer[]): number {
  const byStart = new Map<number, Buffer[]>();
  for (const sample of samples) {
    if (sample.length < 4) throw new Error('A sample of fewer than four bytes would be found anywhere.');
    const start = sample.readUInt32LE(0);
    const others = byStart.get(start);
    if (others === undefined) byStart.set(start, [sample]);
    else others.push(sample);
  }
  const found = new Set<Buffer>();
  for (const packet of packets) {
    for (let offset = 0; offset + 4 <= packet.length; offset++) {
      for (const sample of byStart.get(packet.readUInt32LE(offset)) ?? []) {
        if (packet.subarray(offset, offset + sample.length).equals(sample)) found.add(sample);
      }
    }
  }
  return found.size;
}
