// Which counters of one key were already seen (RFC 9605 section 9.3).
import { REPLAY_WINDOW } from './limits.ts';

const WORD_BITS = 32;

/** A window over the counters of one key: check, then decrypt, then record. */
export class ReplayWindow {
  #highest: bigint | null = null;
  /** A ring: counter n has bit n mod REPLAY_WINDOW. */
  readonly #seen = new Uint32Array(REPLAY_WINDOW / WORD_BITS);

  /** The highest counter recorded, or null. */
  get highest(): bigint | null {
    return this.#highest;
  }

  /**
   * Why a frame with this counter may not be opened, or null. Changes nothing,
   * because the counter is not authentic before the frame opened.
   */
  check(counter: bigint): 'duplicate' | 'replayed' | null {
    if (this.#highest === null || counter > this.#highest) return null;
    if (this.#highest - counter >= BigInt(REPLAY_WINDOW)) return 'replayed';
    return this.#bit(counter) ? 'duplicate' : null;
  }

  /** Notes a counter whose frame opened. */
  record(counter: bigint): void {
    const highest = this.#highest;
    if (highest === null || counter > highest) {
      if (highest !== null) this.#clearAfter(highest, counter);
      this.#highest = counter;
    } else if (highest - counter >= BigInt(REPLAY_WINDOW)) {
      return;
    }
    const index = place(counter);
    this.#seen[index >> 5] = (this.#seen[index >> 5] ?? 0) | (1 << (index & 31));
  }

  #bit(counter: bigint): boolean {
    const index = place(counter);
    return (((this.#seen[index >> 5] ?? 0) >>> (index & 31)) & 1) === 1;
  }

  /** Empties the places that counters above `highest`, up to `counter`, will take. */
  #clearAfter(highest: bigint, counter: bigint): void {
    if (counter - highest >= BigInt(REPLAY_WINDOW)) {
      this.#seen.fill(0);
      return;
    }
    const skipped = Number(counter - highest);
    for (let step = 1; step <= skipped; step += 1) {
      const index = place(highest + BigInt(step));
      this.#seen[index >> 5] = (this.#seen[index >> 5] ?? 0) & ~(1 << (index & 31));
    }
  }
}

function place(counter: bigint): number {
  return Number(counter % BigInt(REPLAY_WINDOW));
}
