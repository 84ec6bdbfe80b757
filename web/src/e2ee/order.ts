// Within a binding the RTP timestamp must rise with the counter (video: not
// fall), so that a server cannot rearrange what somebody said. Counters are
// authentic, timestamps are the server's word.
import { LAYERS_MAX, ORDER_FRAMES_MAX, ORDER_SILENCE_MS_MAX } from './limits.ts';
import type { Media } from './messages.ts';

interface Seen {
  readonly counter: bigint;
  readonly timestamp: number;
}

/** What the order of frames is told by. */
export interface OrderedFrame extends Seen {
  /** Read from the opened bytes. */
  readonly isKeyFrame: boolean;
}

/** The order of one binding's frames. */
export class FrameOrder {
  /** Rising by counter. */
  readonly #recent: Seen[] = [];
  /** Counters up to this one are too old to be put in order; null at the start. */
  #floor: bigint | null;
  #lastAt: number;

  /** `floor` is the highest counter that the key had seen before the binding. */
  constructor(
    private readonly media: Media,
    floor: bigint | null,
    now: number,
  ) {
    this.#floor = floor;
    this.#lastAt = now;
  }

  /** Whether a frame fits between those before and behind it; if so it is remembered. */
  accept(frame: OrderedFrame, now: number): boolean {
    const { counter, timestamp } = frame;
    if (now - this.#lastAt > ORDER_SILENCE_MS_MAX) this.#forget();
    if (this.#floor !== null && counter <= this.#floor) return false;
    // The layers of one picture are sealed one after the other, largest first, and each has a clock of its own. A
    // slot that changes its layer begins at a key frame, perhaps of the very picture that it showed last.
    const apart = this.media === 'video' && frame.isKeyFrame ? LAYERS_MAX : 1n;
    const before = this.#recent.findLast((seen) => seen.counter + apart <= counter);
    const behind = this.#recent.find((seen) => seen.counter >= counter + apart);
    if (before !== undefined && !this.#follows(before.timestamp, timestamp)) return false;
    if (behind !== undefined && !this.#follows(timestamp, behind.timestamp)) return false;
    const index = this.#recent.findLastIndex((seen) => seen.counter <= counter) + 1;
    this.#recent.splice(index, 0, { counter, timestamp });
    if (this.#recent.length > ORDER_FRAMES_MAX) this.#floor = this.#recent.shift()?.counter ?? this.#floor;
    this.#lastAt = now;
    return true;
  }

  /** 32-bit timestamps wrap: less than half the circle ahead is later. */
  #follows(earlier: number, later: number): boolean {
    const ahead = (later - earlier) >>> 0;
    return ahead < 2 ** 31 && (ahead > 0 || this.media === 'video');
  }

  #forget(): void {
    this.#floor = this.#recent.at(-1)?.counter ?? this.#floor;
    this.#recent.length = 0;
  }
}
