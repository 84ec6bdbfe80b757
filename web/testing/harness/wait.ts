// Waiting for something to become true, and saying what was seen last when it does not.

/** How long a step of a call may take, in milliseconds: two shared cores decode six videos meanwhile. */
export const PATIENCE_MS = 45_000;

/** How often a condition is looked at again, in milliseconds. */
const PAUSE_MS = 250;

/** Waits for `milliseconds` to pass. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Reads a value until `enough` says yes, and returns it.
 *
 * Fails with `what` and the last value seen after `patience` milliseconds.
 */
export async function eventually<T>(
  what: string,
  read: () => T | Promise<T>,
  enough: (value: T) => boolean,
  patience: number = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    const value = await read();
    if (enough(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${patience} ms. Last seen: ${JSON.stringify(value, null, 1)}`);
    }
    await sleep(PAUSE_MS);
  }
}
