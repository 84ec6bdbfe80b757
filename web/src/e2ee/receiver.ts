// Opening what the others send: by key id only, checked, decrypted, recorded,
// and then let through by the slot or not.
import { codecOf, isKeyFrame, mediaOf } from './codec.ts';
import { parseHeader } from './header.ts';
import type { Keyring, NoStream, Opening, Stream } from './keyring.ts';
import { EPOCH_WAIT_MS, EPOCH_WAIT_MS_MIN, FRAME_BYTES_MAX, KEY_FRAME_REQUEST_MS_MIN } from './limits.ts';
import type { DropReason, FrameEvent, Media } from './messages.ts';
import { splitPrefix } from './prefix.ts';
import { openFrame, TAG_LENGTH } from './sframe.ts';
import { Slot, type OpenedFrame, type SlotView } from './slot.ts';
import type { EncodedFrame } from './transform.ts';

/** Opens a frame in place: null when it may be shown, otherwise why it is dropped. */
export type Open = (frame: EncodedFrame) => Promise<DropReason | null>;

interface Attached {
  readonly mid: string;
  readonly slot: Slot;
  readonly requestKeyFrame: () => void;
  told: SlotView;
  askedAt: number | null;
  /** When an epoch was last waited for in vain. */
  waitedAt: number | null;
  /** Frames of the picture that is shown are missing: nothing that follows can be decoded before a key frame. */
  isTorn: boolean;
}

interface Decrypted {
  readonly plaintext: ArrayBuffer;
  readonly frame: OpenedFrame;
}

/** Waiting for a key frame can be shortened by asking for one. */
const CURED_BY_KEY_FRAME: readonly DropReason[] = ['waiting_for_key_frame', 'changed_too_soon'];

/**
 * Frames dropped for these reasons are missing in the picture. The decoder would find out by itself, but a browser
 * waits three seconds before it asks for a key frame.
 */
const TEARING: readonly DropReason[] = ['waiting_for_key', 'tampered', 'malformed'];

/** All receive slots. */
export class Receiver {
  readonly #attached = new Map<string, Attached>();
  /** The highest counter of each stream, over all epochs. */
  readonly #highest = new WeakMap<Stream, bigint>();

  constructor(
    private readonly keyring: Keyring,
    private readonly now: () => number,
    private readonly post: (event: FrameEvent) => void,
  ) {}

  /**
   * Begins a slot. A slot that the mid had before ends: its frames are dropped, and the page is told that nobody
   * owns the mid any more, so that what it still hears of the old slot does not stand.
   */
  attach(mid: string, media: Media, requestKeyFrame: () => void): Open {
    const replaced = this.#attached.get(mid);
    replaced?.slot.release();
    const slot = new Slot(media);
    const told = replaced?.told ?? slot.view;
    const attached = { mid, slot, requestKeyFrame, told, askedAt: null, waitedAt: null, isTorn: false };
    this.#attached.set(mid, attached);
    this.#tell(attached);
    return (frame) => this.#open(attached, frame);
  }

  /** Takes the slots of those whose keys ended from them. */
  releaseEnded(): void {
    for (const attached of this.#attached.values()) {
      if (attached.slot.stream?.isOver === true) attached.slot.release();
      this.#tell(attached);
    }
  }

  async #open(attached: Attached, frame: EncodedFrame): Promise<DropReason | null> {
    const decrypted = await this.#decrypt(attached, frame);
    if (this.#attached.get(attached.mid) !== attached) return 'detached';
    const reason = this.#admit(attached, decrypted);
    if (reason === null && typeof decrypted !== 'string') frame.data = decrypted.plaintext;
    if (reason !== null && CURED_BY_KEY_FRAME.includes(reason)) this.#askForKeyFrame(attached);
    else this.#mend(attached, decrypted, reason);
    this.#tell(attached);
    return reason;
  }

  /** Once a torn picture can be opened again, a key frame makes it whole. */
  #mend(attached: Attached, decrypted: Decrypted | DropReason, reason: DropReason | null): void {
    if (attached.slot.media !== 'video') return;
    if (reason !== null) attached.isTorn ||= attached.slot.stream !== null && TEARING.includes(reason);
    else if (typeof decrypted !== 'string' && decrypted.frame.isKeyFrame) attached.isTorn = false;
    else if (attached.isTorn) this.#askForKeyFrame(attached);
  }

  #admit(attached: Attached, decrypted: Decrypted | DropReason): DropReason | null {
    const { slot } = attached;
    if (typeof decrypted === 'string') {
      slot.refuse(decrypted);
      return decrypted;
    }
    const before = slot.stream;
    const reason = slot.admit(decrypted.frame, this.now());
    // One track is shown in one place: where its owner came to, it left another slot.
    if (slot.stream !== before) this.#releaseOthers(attached);
    return reason;
  }

  async #decrypt(attached: Attached, frame: EncodedFrame): Promise<Decrypted | DropReason> {
    const { media } = attached.slot;
    const data = new Uint8Array(frame.data);
    if (data.length === 0) return 'empty';
    const { mimeType, rtpTimestamp: timestamp } = frame.getMetadata();
    const codec = codecOf(mimeType);
    if (codec === null || mediaOf(codec) !== media) return 'codec';
    const split = data.length > FRAME_BYTES_MAX ? null : splitPrefix(codec, data);
    const header = split === null ? null : parseHeader(split.sealed);
    if (split === null || header === null || typeof timestamp !== 'number') return 'malformed';
    if (split.sealed.length < header.length + TAG_LENGTH) return 'malformed';
    const { counter } = header;
    const opening = await this.#find(attached, header.keyId);
    if (typeof opening === 'string') return opening;
    const { stream, key, replay, base } = opening;
    const early = replay.check(counter);
    if (early !== null) return early;
    const plaintext = await openFrame(key, counter, header.length, split.prefix, split.sealed);
    if (plaintext === null) return 'tampered';
    // Meanwhile another slot may have opened the same frame, or the participant may have left.
    const late = opening.isOver() ? 'waiting_for_key' : replay.check(counter);
    if (late !== null) return late;
    const highest = this.#highest.get(stream) ?? null;
    replay.record(counter);
    // Counters begin anew with each epoch; put in a row they rise for ever.
    const ordered = base + counter;
    this.#note(stream, ordered);
    const isKey = isKeyFrame(codec, new Uint8Array(plaintext));
    return { plaintext, frame: { stream, counter: ordered, highest, timestamp, isKeyFrame: isKey } };
  }

  /** The key of a key id. An epoch that is not there yet is waited for, because its first frames are quicker. */
  async #find(attached: Attached, keyId: bigint): Promise<Opening | NoStream> {
    const began = this.now();
    const mayWait = attached.waitedAt === null || began - attached.waitedAt >= EPOCH_WAIT_MS_MIN;
    if (!this.keyring.knows(keyId) && mayWait) {
      await this.keyring.next(keyId, EPOCH_WAIT_MS);
      attached.waitedAt = this.keyring.knows(keyId) ? null : began;
    }
    return this.keyring.find(keyId);
  }

  #note(stream: Stream, ordered: bigint): void {
    const highest = this.#highest.get(stream);
    if (highest === undefined || ordered > highest) this.#highest.set(stream, ordered);
  }

  #releaseOthers(owner: Attached): void {
    const stream: Stream | null = owner.slot.stream;
    for (const other of this.#attached.values()) {
      if (other === owner || other.slot.stream !== stream) continue;
      other.slot.release();
      this.#tell(other);
    }
  }

  #askForKeyFrame(attached: Attached): void {
    const now = this.now();
    if (attached.askedAt !== null && now - attached.askedAt < KEY_FRAME_REQUEST_MS_MIN) return;
    attached.askedAt = now;
    attached.requestKeyFrame();
  }

  #tell(attached: Attached): void {
    const { view } = attached.slot;
    if (view === attached.told) return;
    attached.told = view;
    this.post({ type: 'slot', mid: attached.mid, ...view });
  }
}
