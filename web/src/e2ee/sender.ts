// Sealing one's own frames. A sender context is one epoch of the group; its
// counters belong to (epoch, key id) and outlive the transforms, so a nonce is
// never used twice.
import type { Codec } from './codec.ts';
import { concat, type Bytes } from './bytes.ts';
import { keyIdNumber } from './kid.ts';
import { FRAME_BYTES_MAX, FRAMES_PER_KEY_MAX } from './limits.ts';
import type { DropReason } from './messages.ts';
import { makePrefix, type Layer } from './prefix.ts';
import { deriveFrameKey, sealFrame, type FrameKey } from './sframe.ts';

interface TrackKey {
  readonly key: FrameKey;
  /** The counter of the next frame; simulcast layers share it. */
  next: number;
}

/** The keys that one epoch gives to one's own tracks. */
export class SenderContext {
  readonly #tracks = new Map<number, Promise<TrackKey>>();

  constructor(
    private readonly baseKey: Bytes,
    private readonly leaf: number,
    readonly epoch: number,
  ) {}

  /** The wire bytes of a frame of `track`, or why it is dropped. */
  async seal(track: number, codec: Codec, plaintext: Bytes, layer: Layer): Promise<Bytes | DropReason> {
    if (plaintext.length === 0) return 'empty';
    const prefix = plaintext.length > FRAME_BYTES_MAX ? null : makePrefix(codec, plaintext, layer);
    if (prefix === null) return 'malformed';
    const trackKey = await this.#trackKey(track);
    if (trackKey.next >= FRAMES_PER_KEY_MAX) return 'exhausted';
    // Taken before anything is awaited: no other frame can get the same counter.
    const counter = trackKey.next;
    trackKey.next += 1;
    return concat(prefix, await sealFrame(trackKey.key, BigInt(counter), prefix, plaintext));
  }

  /** Wipes what keys come from. */
  end(): void {
    this.baseKey.fill(0);
    this.#tracks.clear();
  }

  #trackKey(track: number): Promise<TrackKey> {
    const known = this.#tracks.get(track);
    if (known !== undefined) return known;
    const deriving = this.#derive(track);
    this.#tracks.set(track, deriving);
    return deriving;
  }

  async #derive(track: number): Promise<TrackKey> {
    const keyId = keyIdNumber({ leaf: this.leaf, track, epoch: this.epoch & 0xff });
    return { key: await deriveFrameKey(this.baseKey, BigInt(keyId), 'encrypt'), next: 0 };
  }
}
