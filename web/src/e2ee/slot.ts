// The tile follows the key. A receive slot belongs to the (member, track) whose
// key opened its last video key frame (for audio: its last frame). Where the
// server says a stream belongs is a hint for layout and never enters here.
import type { Stream } from './keyring.ts';
import { FAILURES_BEFORE_SHOWN, OWNER_CHANGE_MS_MIN } from './limits.ts';
import { mediaOfTrack, type DropReason, type Media, type Owner, type SlotState } from './messages.ts';
import { FrameOrder } from './order.ts';

/** A frame that was opened. */
export interface OpenedFrame {
  readonly stream: Stream;
  readonly counter: bigint;
  /** The highest counter of the stream before this frame, or null. */
  readonly highest: bigint | null;
  readonly timestamp: number;
  /** Read from the opened bytes. */
  readonly isKeyFrame: boolean;
}

/** What the page is told of a slot. */
export interface SlotView {
  readonly owner: Owner | null;
  readonly state: SlotState;
  readonly reason: DropReason | null;
  /** RTP timestamp of the owner's first frame. */
  readonly since: number | null;
}

const UNOWNED: SlotView = { owner: null, state: 'waiting', reason: null, since: null };

/** Reasons that pass by themselves; with the others something is wrong. */
const PASSING: readonly DropReason[] = [
  'waiting_for_key',
  'waiting_for_key_frame',
  'changed_too_soon',
  'reordered',
  'replayed',
];
/** Browsers produce such frames by themselves; they say nothing about the slot. */
const SILENT: readonly DropReason[] = ['empty', 'duplicate'];

/** One receive slot: who owns it, and what it lets through. */
export class Slot {
  #view: SlotView = UNOWNED;
  #stream: Stream | null = null;
  #order: FrameOrder | null = null;
  #changedAt: number | null = null;
  #failures = 0;

  constructor(readonly media: Media) {}

  /** A new object whenever something changed. */
  get view(): SlotView {
    return this.#view;
  }

  /** Whose frames it lets through now. */
  get stream(): Stream | null {
    return this.#stream;
  }

  /**
   * Whether an opened frame may be shown: null, or why it is dropped. The
   * first frame of another owner makes the slot that owner's. Time in milliseconds.
   */
  admit(frame: OpenedFrame, now: number): DropReason | null {
    const reason = this.#judge(frame, now);
    if (reason === null) {
      this.#failures = 0;
      if (this.#view.state !== 'encrypted') this.#view = { ...this.#view, state: 'encrypted', reason: null };
    } else {
      this.refuse(reason);
    }
    return reason;
  }

  /** Notes that a frame was dropped before it came to `admit`. */
  refuse(reason: DropReason): void {
    if (SILENT.includes(reason)) return;
    this.#failures += 1;
    if (this.#view.state === 'encrypted' && this.#failures < FAILURES_BEFORE_SHOWN) return;
    const state = PASSING.includes(reason) ? 'waiting' : 'failed';
    if (this.#view.state !== state || this.#view.reason !== reason) {
      this.#view = { ...this.#view, state, reason };
    }
  }

  /** Takes the slot from its owner: it left, or is shown elsewhere. */
  release(): void {
    if (this.#stream === null) return;
    this.#stream = null;
    this.#order = null;
    this.#failures = 0;
    this.#view = UNOWNED;
  }

  #judge(frame: OpenedFrame, now: number): DropReason | null {
    if (mediaOfTrack(frame.stream.kind) !== this.media) return 'wrong_kind';
    if (frame.stream !== this.#stream) return this.#change(frame, now);
    return this.#order?.accept(frame, now) === true ? null : 'reordered';
  }

  #change(frame: OpenedFrame, now: number): DropReason | null {
    const { stream } = frame;
    if (this.media === 'video' && !frame.isKeyFrame) return 'waiting_for_key_frame';
    if (this.#changedAt !== null && now - this.#changedAt < OWNER_CHANGE_MS_MIN) return 'changed_too_soon';
    const order = new FrameOrder(this.media, frame.highest, now);
    if (!order.accept(frame, now)) return 'reordered';
    this.#stream = stream;
    this.#order = order;
    this.#changedAt = now;
    this.#view = {
      owner: { seat: stream.seat, track: stream.track, kind: stream.kind },
      state: 'encrypted',
      reason: null,
      since: frame.timestamp,
    };
    return null;
  }
}
