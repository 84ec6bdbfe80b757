// What the frame worker knows and does for one meeting: one's own sender
// contexts, everybody's keys, and the receive slots. It touches no global of the
// worker, so it runs in tests; `worker.ts` connects it.
import type { Bytes } from './bytes.ts';
import { codecOf, mediaOf } from './codec.ts';
import { decodeKeyMessage, type KeyMessage } from './group_messages.ts';
import { Keyring } from './keyring.ts';
import { mediaOfTrack, type Counters, type DropReason, type FrameEvent, type Media, type TrackKind } from './messages.ts';
import { Receiver } from './receiver.ts';
import { decodeRole, zeroCounters } from './requests.ts';
import { SenderContext } from './sender.ts';
import type { EncodedFrame, Step } from './transform.ts';

/** What a session stands on. */
export interface Ground {
  /** Tells the page. */
  readonly post: (message: FrameEvent) => void;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** What a transform can ask of its receiver, or of its sender. */
export interface Asking {
  sendKeyFrameRequest?: () => Promise<unknown>;
  generateKeyFrame?: () => Promise<unknown>;
}

/** One meeting in the worker. */
export class Session {
  readonly #counters = zeroCounters();
  #countersChanged = false;
  readonly #keyring = new Keyring();
  readonly #receiver: Receiver;
  readonly #senders = new Map<number, SenderContext>();
  #sending: SenderContext | null = null;

  constructor(private readonly ground: Ground) {
    this.#receiver = new Receiver(this.#keyring, ground.now, ground.post);
  }

  /** Takes a message of the group worker. */
  handleKeys(value: unknown): void {
    const message = decodeKeyMessage(value);
    if (message === null) return;
    this.#keepSenders(message);
    this.#keyring.take(message);
    this.#receiver.releaseEnded();
  }

  /** How frames of a transform are handled; null when its options are none of ours: then nothing flows. */
  step(options: unknown, transformer: Asking): Step | null {
    const role = decodeRole(options);
    if (role === null) return null;
    if (role.role === 'sender') return this.#sealStep(role.track, role.kind, transformer);
    return this.#openStep(role.mid, role.media, transformer);
  }

  /** Counts a dropped frame. */
  dropped(reason: DropReason): void {
    this.#count(reason);
  }

  /** Tells the page how many frames were handled, if there were any since the last time. */
  tick(): void {
    if (!this.#countersChanged) return;
    this.#countersChanged = false;
    this.ground.post({ type: 'statistics', counters: { ...this.#counters } });
  }

  #keepSenders(message: KeyMessage): void {
    switch (message.type) {
      case 'epoch':
        this.#endSender(message.epoch);
        // Keys for opening are wiped at other times than those for sealing.
        this.#senders.set(
          message.epoch,
          new SenderContext(new Uint8Array(message.baseKey), message.leaf, message.epoch),
        );
        break;
      case 'send':
        this.#sending = this.#senders.get(message.epoch) ?? null;
        break;
      case 'stop':
        this.#sending = null;
        break;
      case 'forget':
        this.#endSender(message.epoch);
        break;
      default:
        break;
    }
  }

  #endSender(epoch: number): void {
    const sender = this.#senders.get(epoch);
    if (sender === undefined) return;
    if (this.#sending === sender) this.#sending = null;
    sender.end();
    this.#senders.delete(epoch);
  }

  #openStep(mid: string, media: Media, transformer: Asking): Step {
    const open = this.#receiver.attach(mid, media, () => {
      transformer.sendKeyFrameRequest?.().catch(() => undefined);
    });
    return async (frame) => {
      const reason = await open(frame);
      this.#count(reason ?? 'opened');
      return reason === null;
    };
  }

  #sealStep(track: number, kind: TrackKind, transformer: Asking): Step {
    let isTorn = false;
    return async (frame) => {
      const sealed = await this.#sealed(frame, track, kind);
      if (typeof sealed === 'string') {
        isTorn = true;
        this.#count(sealed);
        return false;
      }
      // The others cannot know that frames are missing: without a key frame their pictures would stand still.
      if (isTorn && mediaOfTrack(kind) === 'video') transformer.generateKeyFrame?.().catch(() => undefined);
      isTorn = false;
      frame.data = sealed.buffer;
      this.#count('sealed');
      return true;
    };
  }

  async #sealed(frame: EncodedFrame, track: number, kind: TrackKind): Promise<Bytes | DropReason> {
    if (this.#sending === null) return 'not_entered';
    const { mimeType, temporalIndex, spatialIndex } = frame.getMetadata();
    const codec = codecOf(mimeType);
    if (codec === null || mediaOf(codec) !== mediaOfTrack(kind)) return 'codec';
    const layer = { temporal: layerIndex(temporalIndex), spatial: layerIndex(spatialIndex) };
    return this.#sending.seal(track, codec, new Uint8Array(frame.data), layer);
  }

  #count(name: keyof Counters): void {
    this.#counters[name] += 1;
    this.#countersChanged = true;
  }
}

function layerIndex(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
